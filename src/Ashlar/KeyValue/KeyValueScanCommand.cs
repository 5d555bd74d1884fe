using System.CommandLine;
using System.Text.Encodings.Web;
using System.Text.Json;
using Ashlar.KeyValue;

namespace Ashlar.CommandLine;

/// <summary><c>ashlar kv scan</c>: streams entries, so that a store of any size can be listed.</summary>
static class KeyValueScanCommand
{
    public static Verb Create(Terminal terminal)
    {
        var directory = KeyValueArguments.Directory();
        var prefix = new Option<string?>("--prefix") { Description = "Only keys that begin with this", HelpName = "KEY" };
        var from = new Option<string?>("--from") { Description = "Only keys from this one on", HelpName = "KEY" };
        var to = new Option<string?>("--to") { Description = "Only keys before this one", HelpName = "KEY" };
        var reverse = new Option<bool>("--reverse") { Description = "From the last key to the first" };
        var limit = Setting.Create(
            terminal, "--limit", "COUNT", "Maximum number of entries", KeyValueArguments.ParseNumber(0, long.MaxValue), long.MaxValue);
        var keysOnly = new Option<bool>("--keys-only") { Description = "Keys without values" };
        var raw = new Option<bool>("--raw") { Description = "Binary, for load --format binary" };
        var encoding = new EncodingOptions();
        var verb = new Verb(
            "scan",
            "List entries in the order of their keys: key, tab, value",
            [
                "ashlar kv scan ./store",
                "ashlar kv scan ./store --prefix city/ --limit 10",
                "ashlar kv scan ./store --from city/a --to city/n --reverse --keys-only",
                "ashlar kv scan ./store -o json --base64",
            ],
            (invocation, cancellationToken) =>
            {
                var range = ParseRange(invocation, encoding, prefix, from, to);
                var kind = encoding.Get(invocation);
                var isKeysOnly = invocation.Get(keysOnly) || invocation.Format == OutputFormat.Name;
                if (invocation.Get(raw) && (isKeysOnly || invocation.Format != OutputFormat.Table))
                    throw Usage.Error("--raw gives whole entries as bytes", "leave --keys-only and --output away");
                using var store = KeyValueArguments.OpenToLook(invocation, directory);
                using var cursor = store.Scan(range, invocation.Get(reverse) ? ScanDirection.Backward : ScanDirection.Forward);
                var left = invocation.Get(limit);
                bool MoveNext()
                {
                    cancellationToken.ThrowIfCancellationRequested();
                    return left-- > 0 && cursor.MoveNext();
                }

                if (invocation.Get(raw))
                {
                    using var output = new BufferedStream(invocation.Terminal.OpenOut(), 1 << 16);
                    while (MoveNext()) EntryFile.WriteBinary(output, cursor.Key, cursor.Value);
                }
                else if (invocation.Format == OutputFormat.Json)
                {
                    WriteJson(invocation.Terminal.Out, cursor, MoveNext, kind, isKeysOnly);
                }
                else
                {
                    var writer = invocation.Terminal.Out;
                    while (MoveNext())
                    {
                        writer.Write(EntryText.ToLine(cursor.Key, kind));
                        writer.WriteLine(isKeysOnly ? "" : $"\t{EntryText.ToLine(cursor.Value, kind)}");
                    }
                }

                return Task.FromResult(ExitCode.Ok);
            })
        { directory, prefix, from, to, reverse, limit, keysOnly, raw };
        foreach (var option in encoding.All) verb.Options.Add(option);
        return verb;
    }

    static KeyRange ParseRange(
        Invocation invocation, EncodingOptions encoding, Option<string?> prefix, Option<string?> from, Option<string?> to)
    {
        var (prefixText, fromText, toText) = (invocation.Get(prefix), invocation.Get(from), invocation.Get(to));
        if (prefixText is not null)
        {
            if (fromText is not null || toText is not null) throw Usage.Error("--prefix cannot be combined with --from and --to");
            return KeyRange.Prefix(encoding.Parse(invocation, prefixText));
        }

        var start = fromText is null ? [] : encoding.Parse(invocation, fromText);
        if (toText is null) return KeyRange.From(start);
        var end = encoding.Parse(invocation, toText);
        return start.AsSpan().SequenceCompareTo(end) > 0 ? throw Usage.Error("--from is after --to") : KeyRange.Between(start, end);
    }

    // Written piece by piece: the whole would be as large as the store. An entry that is not all text says so, and is base64.
    static void WriteJson(TextWriter writer, EntryCursor cursor, Func<bool> moveNext, EntryEncoding encoding, bool isKeysOnly)
    {
        writer.Write(
            $"{{\"apiVersion\":\"{Api.ApiVersion.Current}\",\"kind\":\"KeyValueEntries\","
            + $"\"encoding\":\"{EntryText.Name(encoding)}\",\"items\":[");
        for (var separator = ""; moveNext(); separator = ",")
        {
            var own = EntryText.Exact(encoding, cursor.Key);
            if (!isKeysOnly && own == encoding) own = EntryText.Exact(encoding, cursor.Value);
            writer.Write($"{separator}{{\"key\":\"{Encode(cursor.Key, own)}\"");
            if (!isKeysOnly) writer.Write($",\"value\":\"{Encode(cursor.Value, own)}\"");
            writer.Write(own == encoding ? "}" : $",\"encoding\":\"{EntryText.Name(own)}\"}}");
        }

        writer.WriteLine("]}");

        static string Encode(ReadOnlySpan<byte> bytes, EntryEncoding encoding) =>
            JsonEncodedText.Encode(EntryText.ToExact(bytes, encoding), JavaScriptEncoder.UnsafeRelaxedJsonEscaping).ToString();
    }
}
