using System.CommandLine.Parsing;
using System.Text.Json;
using Ashlar.Storage;

namespace Ashlar.CommandLine;

/// <summary>
/// Options of a server in a file: one JSON object whose members are named as the options are, <c>nbdPort</c> for <c>--nbd-port</c>.
/// Comments are allowed. The command line and the environment win over it.
/// </summary>
sealed class ConfigurationFile
{
    /// <summary>The option that names it.</summary>
    public const string OptionName = "--config";

    const int MaxBytes = 1 << 20;

    readonly Dictionary<string, string> values;

    ConfigurationFile(string path, Dictionary<string, string> values)
    {
        Path = path;
        this.values = values;
    }

    /// <summary>Where it is, as it was named.</summary>
    public string Path { get; }

    /// <summary>Reads it from the disk.</summary>
    /// <param name="path">Where it is.</param>
    /// <param name="options">Names of the options that it may set.</param>
    /// <exception cref="FormatException">It cannot be read, or sets what is not there to be set; the message names the file.</exception>
    public static ConfigurationFile Read(string path, IEnumerable<string> options)
    {
        if (!TypedPath.IsOne(path)) throw new FormatException($"'{path}' is not the path of a file");
        try
        {
            using var file = FileSystems.Real.Open(System.IO.Path.GetFullPath(path), FileOpenMode.ReadOnly);
            if (file.LengthBytes > MaxBytes) throw new FormatException($"{path} is larger than {ByteSize.Format(MaxBytes)}");
            var bytes = new byte[file.LengthBytes];
            return Parse(path, bytes.AsMemory(0, file.Read(bytes, 0)), options);
        }
        catch (StorageException e)
        {
            throw new FormatException($"{path} cannot be read: {e.Message}", e);
        }
    }

    /// <summary>Reads the text of one.</summary>
    /// <param name="path">For messages.</param>
    /// <param name="text">UTF-8.</param>
    /// <param name="options">Names of the options that it may set.</param>
    /// <exception cref="FormatException">As by <see cref="Read"/>.</exception>
    public static ConfigurationFile Parse(string path, ReadOnlyMemory<byte> text, IEnumerable<string> options)
    {
        var known = options.ToDictionary(MemberName, StringComparer.Ordinal);
        var values = new Dictionary<string, string>(StringComparer.Ordinal);
        var seen = new HashSet<string>(StringComparer.Ordinal);
        // What some editors begin UTF-8 with.
        if (text.Span.StartsWith("\uFEFF"u8)) text = text[3..];
        try
        {
            using var document = JsonDocument.Parse(text, new() { CommentHandling = JsonCommentHandling.Skip, AllowTrailingCommas = true });
            if (document.RootElement.ValueKind != JsonValueKind.Object) throw new FormatException($"{path} is not a JSON object");
            foreach (var member in document.RootElement.EnumerateObject())
            {
                if (!known.TryGetValue(member.Name, out var option))
                {
                    var nearest = Suggestions.Nearest(member.Name, known.Keys);
                    throw new FormatException(
                        $"{path}: '{member.Name}' is not an option: "
                            + (nearest is null ? $"expected {string.Join(", ", known.Keys)}" : $"did you mean {nearest}?"));
                }

                if (!seen.Add(option)) throw new FormatException($"{path}: '{member.Name}' is given twice");
                // An empty list says nothing, as an option that is left out.
                if (member.Value.ValueKind != JsonValueKind.Array || member.Value.GetArrayLength() > 0)
                    values.Add(option, TextOf(path, member));
            }
        }
        catch (JsonException e)
        {
            throw new FormatException($"{path} is not JSON: line {e.LineNumber + 1}, byte {e.BytePositionInLine + 1}", e);
        }

        return new(path, values);
    }

    /// <summary>
    /// What the file that this command line names says about an option, and where it stands; null if there is no such file.
    /// </summary>
    public static (string Value, string Source)? Find(SymbolResult result, string option)
    {
        if (result.GetResult(OptionName) is not OptionResult named) return null;
        try
        {
            return named.GetValueOrDefault<ConfigurationFile>() is { } file && file.values.TryGetValue(option, out var value)
                ? (value, $"{file.Path}: {MemberName(option)}")
                : null;
        }
        catch (InvalidOperationException)
        {
            // The file is wrong, which its own option says.
            return null;
        }
    }

    // Several values of one option are written as a list, and on the command line with commas.
    static string TextOf(string path, JsonProperty member) => member.Value.ValueKind switch
    {
        JsonValueKind.String => member.Value.GetString()!,
        JsonValueKind.Number or JsonValueKind.True or JsonValueKind.False => member.Value.GetRawText(),
        JsonValueKind.Array when member.Value.EnumerateArray().All(item => item.ValueKind == JsonValueKind.String) =>
            string.Join(',', member.Value.EnumerateArray().Select(item => item.GetString())),
        _ => throw new FormatException($"{path}: '{member.Name}' is not a text, a number, true, false or a list of texts"),
    };

    /// <summary>"--nbd-port" is nbdPort.</summary>
    static string MemberName(string option)
    {
        var words = option.TrimStart('-').Split('-');
        return words[0] + string.Concat(words.Skip(1).Select(word => char.ToUpperInvariant(word[0]) + word[1..]));
    }
}
