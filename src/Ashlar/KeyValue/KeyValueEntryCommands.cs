using System.CommandLine;
using Ashlar.KeyValue;
using Ashlar.Storage;

namespace Ashlar.CommandLine;

/// <summary>Commands on single entries: get, put, delete.</summary>
static class KeyValueEntryCommands
{
    public static Verb CreateGet()
    {
        var directory = KeyValueArguments.Directory();
        var key = KeyValueArguments.Key();
        var encoding = new EncodingOptions();
        var raw = new Option<bool>("--raw") { Description = "Write the bytes of the value themselves, and nothing else" };
        var verb = new Verb(
            "get",
            "Read a value",
            ["ashlar kv get ./store city/paris", "ashlar kv get ./store 00ff --hex", "ashlar kv get ./store photo --raw"],
            invocation =>
            {
                var isRaw = invocation.Get(raw);
                if (isRaw && invocation.Format != OutputFormat.Table)
                    throw Usage.Error("--raw gives bytes, not objects", "leave --output away");
                var keyBytes = encoding.Parse(invocation, invocation.Get(key));
                using var store = KeyValueArguments.OpenToLook(invocation, directory);
                if (store.Get(keyBytes) is not { } value)
                    throw new CommandException(ExitCode.NotFound, Api.ProblemTypes.Failed, $"there is no key '{invocation.Get(key)}'");
                var kind = encoding.Get(invocation);
                if (isRaw)
                {
                    using var output = invocation.Terminal.OpenOut();
                    output.Write(value);
                }
                else if (invocation.Format == OutputFormat.Json)
                {
                    var exact = EntryText.Exact(kind, value);
                    var entry = new KeyValueEntry
                    {
                        Encoding = EntryText.Name(exact),
                        Key = EntryText.ToExact(keyBytes, exact),
                        Value = EntryText.ToExact(value, exact),
                    };
                    invocation.Write(entry, KeyValueJson.Strict.KeyValueEntry, [], (_, _) => { });
                }
                else
                {
                    invocation.Terminal.Out.WriteLine(EntryText.ToText(value, kind));
                }

                return ExitCode.Ok;
            })
        { directory, key, raw };
        foreach (var option in encoding.All) verb.Options.Add(option);
        return verb;
    }

    public static Verb CreatePut(Terminal terminal)
    {
        var directory = KeyValueArguments.Directory();
        var key = KeyValueArguments.Key();
        var value = new Argument<string?>("VALUE") { Description = "The value; or else --file", Arity = ArgumentArity.ZeroOrOne };
        var file = new Option<string?>("--file")
        {
            Description = "The value is the content of this file; - is standard input",
            HelpName = "FILE",
        };
        var timeToLive = Setting.Create<TimeSpan?>(
            terminal, "--ttl", "TIME", "The entry expires after this time: 30s, 5m, 2h, 7d", text => Duration.Parse(text), null);
        var durability = KeyValueArguments.Durability(terminal, DurabilityChoice.Sync);
        var encoding = new EncodingOptions();
        var verb = new Verb(
            "put",
            "Write an entry; it is on disk when the command ends",
            [
                "ashlar kv put ./store city/paris bonjour",
                "ashlar kv put ./store photo --file -",
                "ashlar kv put ./store session/17 alice --ttl 30m",
                "ashlar kv put ./store 00ff deadbeef --hex",
            ],
            invocation =>
            {
                var isFromFile = invocation.IsGiven(file);
                var typed = invocation.Find(value);
                if (isFromFile == typed is not null)
                    throw Usage.Error(isFromFile ? "more than one value" : "VALUE is missing", "give a value or --file");
                var keyBytes = encoding.Parse(invocation, invocation.Get(key));
                var bytes = isFromFile ? ReadFile(invocation.Terminal, invocation.Get(file)!) : encoding.Parse(invocation, typed!);
                var batch = new WriteBatch();
                if (invocation.Get(timeToLive) is { } time) batch.Put(keyBytes, bytes, time, TimeProvider.System);
                else batch.Put(keyBytes, bytes);
                using var store = KeyValueArguments.Open(invocation, directory);
                store.Write(batch, invocation.Get(durability).ToDurability());
                store.Close();
                KeyValueCommands.WriteChange(
                    invocation,
                    new() { Path = store.Directory, Operation = "put", Entries = 1 },
                    $"{invocation.Get(key)} has a value of {ByteSize.Format(bytes.Length)}");
                return ExitCode.Ok;
            })
        { directory, key, value, file, timeToLive, durability };
        foreach (var option in encoding.All) verb.Options.Add(option);
        return verb;
    }

    public static Verb CreateDelete(Terminal terminal)
    {
        var directory = KeyValueArguments.Directory();
        var keys = new Argument<string[]>("KEY") { Description = "The keys", Arity = ArgumentArity.OneOrMore };
        var durability = KeyValueArguments.Durability(terminal, DurabilityChoice.Sync);
        var encoding = new EncodingOptions();
        var verb = new Verb(
            "delete",
            "Delete entries; one that is not there is no error",
            ["ashlar kv delete ./store city/atlantis", "ashlar kv delete ./store 00ff 01ff --hex"],
            invocation =>
            {
                var batch = new WriteBatch();
                foreach (var key in invocation.Get(keys)) batch.Delete(encoding.Parse(invocation, key));
                using var store = KeyValueArguments.Open(invocation, directory);
                store.Write(batch, invocation.Get(durability).ToDurability());
                store.Close();
                KeyValueCommands.WriteChange(
                    invocation,
                    new() { Path = store.Directory, Operation = "delete", Entries = batch.Count },
                    batch.Count == 1 ? $"{invocation.Get(keys)[0]} is deleted" : $"{batch.Count} keys are deleted");
                return ExitCode.Ok;
            })
        { directory, keys, durability };
        verb.Aliases.Add("rm");
        foreach (var option in encoding.All) verb.Options.Add(option);
        return verb;
    }

    static byte[] ReadFile(Terminal terminal, string path)
    {
        if (path == "-")
        {
            using var input = terminal.OpenIn();
            var bytes = new byte[KeyValueOptions.ValueLimitBytes + 1];
            return bytes[..input.ReadAtLeast(bytes, bytes.Length, throwOnEndOfStream: false)];
        }

        using var file = FileSystems.Real.Open(TypedPath.OfFile(path), FileOpenMode.ReadOnly);
        if (file.LengthBytes > KeyValueOptions.ValueLimitBytes)
            throw Usage.Error(
                $"{path}: {ByteSize.Format(file.LengthBytes)} are too long for a value; "
                + $"the limit is {ByteSize.Format(KeyValueOptions.ValueLimitBytes)}");
        var content = new byte[file.LengthBytes];
        return content[..file.Read(content, 0)];
    }
}
