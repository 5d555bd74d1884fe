using System.Buffers.Binary;
using System.CommandLine;
using System.Globalization;
using Ashlar.KeyValue;

namespace Ashlar.CommandLine;

/// <summary><c>ashlar kv load</c>: many entries from a file, or generated.</summary>
static class KeyValueLoadCommand
{
    const int BatchBytes = 1 << 20;

    public static Verb Create(Terminal terminal)
    {
        var directory = KeyValueArguments.Directory();
        var keyspace = KeyValueArguments.Keyspace(terminal);
        var file = new Option<string>("--file")
        {
            Description = "Where the entries are; - is standard input [default: -]",
            HelpName = "FILE",
            DefaultValueFactory = _ => "-",
        };
        var format = Setting.Create(
            terminal,
            "--format",
            "FORMAT",
            "lines: key, tab, value; binary: what scan --raw writes [default: lines]",
            ParseFormat,
            EntryFormat.Lines);
        format.CompletionSources.Add("lines", "binary");
        var generate = Setting.Create(
            terminal,
            "--generate",
            "COUNT",
            "Load this many generated entries instead of a file",
            KeyValueArguments.ParseNumber(0, long.MaxValue),
            0L);
        var valueSize = Setting.Create(
            terminal, "--value-size", "SIZE", "Size of generated values [default: 1000]", ParseValueSize, 1000);
        var seed = Setting.Create(
            terminal, "--seed", "NUMBER", "Seed of the generated values [default: 1]", KeyValueArguments.ParseNumber(0, long.MaxValue), 1L);
        var durability = KeyValueArguments.Durability(terminal, DurabilityChoice.Relaxed);
        var encoding = new EncodingOptions();
        var verb = new Verb(
            "load",
            "Load many entries; all are on disk when the command ends",
            [
                "ashlar kv load ./store --file cities.tsv",
                "ashlar kv load ./store --file dump --format binary",
                "ashlar kv load ./store --keyspace users --file cities.tsv",
                "ashlar kv load ./store --generate 1000000 --value-size 100",
            ],
            (invocation, cancellationToken) =>
            {
                if (invocation.IsGiven(generate) && invocation.IsGiven(file)) throw Usage.Error("--generate and --file cannot be combined");
                using var store = KeyValueArguments.Open(invocation, directory, keyspace);
                using var input = invocation.IsGiven(generate)
                    ? Stream.Null
                    : new BufferedStream(EntryFile.OpenInput(terminal, invocation.Get(file)!), 1 << 16);
                var entries = invocation.IsGiven(generate)
                    ? Generate(invocation.Get(generate), invocation.Get(valueSize), invocation.Get(seed))
                    : invocation.Get(format) == EntryFormat.Binary
                        ? EntryFile.ReadBinary(input, invocation.Get(file)!)
                        : EntryFile.ReadLines(input, encoding.Get(invocation), invocation.Get(file)!);
                var started = terminal.TimeProvider.GetTimestamp();
                var count = Load(store, entries, invocation.Get(durability).ToDurability(), cancellationToken);
                var seconds = terminal.TimeProvider.GetElapsedTime(started).TotalSeconds;
                KeyValueCommands.WriteChange(
                    invocation,
                    new() { Path = store.Directory, Keyspace = store.Keyspace, Operation = "load", Entries = count },
                    string.Create(
                        CultureInfo.InvariantCulture,
                        $"{KeyValueCommands.Entries(count)} loaded in {seconds:F1} s "
                            + $"({(seconds > 0 ? count / seconds : 0):F0} per second)"));
                return Task.FromResult(ExitCode.Ok);
            })
        { directory, keyspace, file, format, generate, valueSize, seed, durability };
        foreach (var option in encoding.All) verb.Options.Add(option);
        return verb;
    }

    static long Load(
        OpenedStore store, IEnumerable<(byte[] Key, byte[] Value)> entries, Durability durability, CancellationToken cancellationToken)
    {
        var batch = new WriteBatch();
        long count = 0;
        foreach (var (key, value) in entries)
        {
            batch.Put(key, value);
            count++;
            if (batch.LengthBytes < BatchBytes) continue;
            cancellationToken.ThrowIfCancellationRequested();
            store.Write(batch, durability);
            batch.Clear();
        }

        store.Write(batch, durability);
        store.Entries.Sync();
        return count;
    }

    // Keys are 16 digits, in order; values are noise of which half would compress, as those of db_bench.
    static IEnumerable<(byte[] Key, byte[] Value)> Generate(long count, int valueBytes, long seed)
    {
        var value = new byte[valueBytes];
        var bytes = new byte[sizeof(ulong)];
        var state = (ulong)seed;
        for (long i = 0; i < count; i++)
        {
            var key = System.Text.Encoding.ASCII.GetBytes(i.ToString("d16", CultureInfo.InvariantCulture));
            for (var at = 0; at < valueBytes / 2; at += sizeof(ulong))
            {
                // SplitMix64 (Steele, Lea, Flood, OOPSLA 2014).
                state += 0x9E3779B97F4A7C15;
                var word = (state ^ (state >> 30)) * 0xBF58476D1CE4E5B9;
                word = (word ^ (word >> 27)) * 0x94D049BB133111EB;
                BinaryPrimitives.WriteUInt64LittleEndian(bytes, word ^ (word >> 31));
                bytes.AsSpan(0, Math.Min(sizeof(ulong), valueBytes - at)).CopyTo(value.AsSpan(at));
            }

            yield return (key, value);
        }
    }

    static EntryFormat ParseFormat(string text) => text switch
    {
        "lines" => EntryFormat.Lines,
        "binary" => EntryFormat.Binary,
        _ => throw new FormatException($"'{text}' is not a format of entries: expected lines or binary"),
    };

    static int ParseValueSize(string text) => ByteSize.Parse(text) is var size and <= KeyValueOptions.ValueLimitBytes
        ? (int)size
        : throw new FormatException($"'{text}' is too long for a value: the limit is {ByteSize.Format(KeyValueOptions.ValueLimitBytes)}");
}
