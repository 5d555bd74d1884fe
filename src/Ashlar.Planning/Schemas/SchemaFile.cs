namespace Ashlar.Planning;

// A line a field; what follows '#' is not read.
//   id         bigint
//   note       varchar(200) avg 60        the average length in bytes, which types that vary need
//   paid_at    timestamptz null 30%       null in so many rows, where it takes nothing
//   overhead:  28                         bytes of each row beside its fields
//   index:     customer_id, placed_at     an index and its columns
//   index-overhead: 16                    bytes of each entry of an index beside its columns
/// <summary>Reads a schema: a field name and SQL type a line, an average length for those that vary, overhead and indexes.</summary>
public static class SchemaFile
{
    const int MostLines = 10_000;

    /// <summary>Reads the text of a schema.</summary>
    /// <exception cref="FormatException">It is none; the message names the line.</exception>
    public static RowLayout Parse(string text)
    {
        var fields = new List<FieldLayout>();
        var indexes = new List<string[]>();
        long? overhead = null, indexOverhead = null;
        var lines = text.Split('\n');
        if (lines.Length > MostLines) throw new FormatException($"more than {MostLines} lines");
        for (var i = 0; i < lines.Length; i++)
        {
            var line = lines[i].Split('#')[0].Replace('\t', ' ').Trim().TrimEnd(',', ';').Trim();
            if (line.Length == 0) continue;
            try
            {
                var (word, rest) = SplitOff(line);
                switch (word.ToLowerInvariant())
                {
                    case "overhead:":
                        overhead = ReadOnce(overhead, word, rest);
                        break;
                    case "index-overhead:":
                        indexOverhead = ReadOnce(indexOverhead, word, rest);
                        break;
                    case "index:":
                        indexes.Add(rest.Split([',', ' ', '(', ')'], StringSplitOptions.RemoveEmptyEntries));
                        if (indexes[^1].Length == 0) throw new FormatException("an index without columns");
                        break;
                    case [.., ':']:
                        throw new FormatException($"'{word}' is not known; known are overhead:, index: and index-overhead:");
                    default:
                        if (fields.Exists(field => field.Name == word)) throw new FormatException($"field '{word}' is there already");
                        fields.Add(ReadField(word, rest));
                        break;
                }
            }
            catch (FormatException e)
            {
                throw new FormatException($"line {i + 1}: {e.Message}", e);
            }
        }

        if (fields.Count == 0) throw new FormatException("it has no fields; write one a line, such as 'id bigint'");
        return new(
            fields,
            overhead ?? RowLayout.DefaultOverheadBytes,
            [.. indexes.Select(columns => new IndexLayout(columns, columns.Sum(column => BytesOf(fields, column))))],
            indexOverhead ?? RowLayout.DefaultIndexOverheadBytes);
    }

    static decimal BytesOf(List<FieldLayout> fields, string column) =>
        fields.Find(field => field.Name == column) is { } field
            ? field.Bytes
            : throw new FormatException($"an index is on '{column}', but there is no such field");

    static long ReadOnce(long? earlier, string word, string rest) =>
        earlier is null ? ByteAmount.Parse(rest, mayBeZero: true).Bytes : throw new FormatException($"'{word}' is there already");

    // TYPE [not null] [avg LENGTH] [null SHARE]
    static FieldLayout ReadField(string name, string rest)
    {
        if (rest.Length == 0) throw new FormatException($"field '{name}' has no type");
        decimal present = 1;
        decimal? length = null;
        var isKey = rest.Contains(" primary key", StringComparison.OrdinalIgnoreCase);
        foreach (var noise in (string[])[" not null", " primary key", " unique"])
            rest = rest.Replace(noise, "", StringComparison.OrdinalIgnoreCase);
        if (TryCut(ref rest, " null ", out var share)) present = 1 - Share.Parse(share, 1);
        if (TryCut(ref rest, " avg ", out var average)) length = ReadLength(average);
        var type = SqlType.Parse(rest);
        if (type.FixedBytes is { } bytes)
        {
            return length is null
                ? new(name, type, bytes * present, isKey)
                : throw new FormatException($"'{name} {type.Name}' takes {bytes} bytes always: leave avg away");
        }

        if (length is not { } content)
            throw new FormatException(
                $"'{name} {type.Name}' varies: give its average length in bytes, such as '{name} {type.Name} avg 20'");
        if (type.MostBytes is { } most && content > 4L * most)
            throw new FormatException($"'{name} {type.Name}' cannot be {Numeral.Format(content)} bytes long on average");
        return new(name, type, SqlType.BytesOf(content) * present, isKey);
    }

    static decimal ReadLength(string text)
    {
        var number = Numeral.Read(text, "a length", "20", out var unit);
        return unit is "" or "B" && number is > 0 and <= 1 << 30
            ? number
            : ByteAmount.Parse(text) is { Bytes: <= 1 << 30 } amount
                ? amount.Bytes
                : throw Numeral.Invalid(text, "a length", "the longest is 1GiB");
    }

    static bool TryCut(ref string text, string word, out string rest)
    {
        var at = text.LastIndexOf(word, StringComparison.OrdinalIgnoreCase);
        (var before, rest) = at < 0 ? (text, "") : (text[..at].TrimEnd(), text[(at + word.Length)..].Trim());
        text = before;
        return at >= 0;
    }

    static (string Word, string After) SplitOff(string line)
    {
        var at = line.IndexOf(' ', StringComparison.Ordinal);
        return at < 0 ? (line, "") : (line[..at], line[at..].Trim());
    }
}
