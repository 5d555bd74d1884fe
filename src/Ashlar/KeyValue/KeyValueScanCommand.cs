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
        var keyspace = KeyValueArguments.Keyspace(terminal);
        var keys = new KeyRangeOptions();
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
                "ashlar kv scan ./store --keyspace users",
                "ashlar kv scan ./store --from city/a --to city/n --reverse --keys-only",
                "ashlar kv scan ./store -o json --base64",
            ],
            (invocation, cancellationToken) =>
            {
                var range = keys.Parse(invocation, encoding);
                var kind = encoding.Get(invocation);
                var isKeysOnly = invocation.Get(keysOnly) || invocation.Format == OutputFormat.Name;
                if (invocation.Get(raw) && (isKeysOnly || invocation.Format != OutputFormat.Table))
                    throw Usage.Error("--raw gives whole entries as bytes", "leave --keys-only and --output away");
                using var store = KeyValueArguments.OpenToLook(invocation, directory, keyspace);
                using var cursor = store.Entries.Scan(range, invocation.Get(reverse) ? ScanDirection.Backward : ScanDirection.Forward);
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
        { directory, keyspace };
        foreach (var option in keys.All.Concat([reverse, limit, keysOnly, raw]).Concat(encoding.All)) verb.Options.Add(option);
        return verb;
    }

    // Written piece by piece: the whole would be as large as the store. An entry that is not all text says so, and is base64.
    static void WriteJson(TextWriter writer, IKeyValueCursor cursor, Func<bool> moveNext, EntryEncoding encoding, bool isKeysOnly)
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
