using System.CommandLine;
using Ashlar.KeyValue;

namespace Ashlar.CommandLine;

/// <summary><c>ashlar kv get</c>.</summary>
static class KeyValueGetCommand
{
    public static Verb Create(Terminal terminal)
    {
        var directory = KeyValueArguments.Directory();
        var key = KeyValueArguments.Key();
        var keyspace = KeyValueArguments.Keyspace(terminal);
        var encoding = new EncodingOptions();
        var raw = new Option<bool>("--raw") { Description = "Write the bytes of the value themselves, and nothing else" };
        var verb = new Verb(
            "get",
            "Read a value; -o json tells its sequence, and when it expires, too",
            [
                "ashlar kv get ./store city/paris",
                "ashlar kv get ./store 42 --keyspace users -o json",
                "ashlar kv get ./store 00ff --hex",
                "ashlar kv get ./store photo --raw",
            ],
            invocation =>
            {
                var isRaw = invocation.Get(raw);
                if (isRaw && invocation.Format != OutputFormat.Table)
                    throw Usage.Error("--raw gives bytes, not objects", "leave --output away");
                var keyBytes = encoding.Parse(invocation, invocation.Get(key));
                using var store = KeyValueArguments.OpenToLook(invocation, directory, keyspace);
                if (store.Entries.Get(keyBytes, out var info) is not { } value) throw store.NoKey(invocation.Get(key));
                var kind = encoding.Get(invocation);
                if (isRaw)
                {
                    using var output = invocation.Terminal.OpenOut();
                    output.Write(value);
                }
                else if (invocation.Format == OutputFormat.Json)
                {
                    var exact = EntryText.Exact(kind, value);
                    invocation.Write(Describe(keyBytes, value, info, exact), KeyValueJson.Strict.KeyValueEntry, [], (_, _) => { });
                }
                else
                {
                    invocation.Terminal.Out.WriteLine(EntryText.ToText(value, kind));
                }

                return ExitCode.Ok;
            })
        { directory, key, keyspace, raw };
        foreach (var option in encoding.All) verb.Options.Add(option);
        return verb;
    }

    static KeyValueEntry Describe(byte[] key, byte[] value, KeyValueEntryInfo info, EntryEncoding exact) => new()
    {
        Encoding = EntryText.Name(exact),
        Key = EntryText.ToExact(key, exact),
        Value = EntryText.ToExact(value, exact),
        Sequence = info.Sequence,
        ExpiresAt = info.ExpiresAt,
    };
}
