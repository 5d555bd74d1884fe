using System.CommandLine;
using Ashlar.KeyValue;
using Ashlar.Storage;

namespace Ashlar.CommandLine;

/// <summary><c>ashlar kv put</c>.</summary>
static class KeyValuePutCommand
{
    public static Verb Create(Terminal terminal)
    {
        var directory = KeyValueArguments.Directory();
        var key = KeyValueArguments.Key();
        var value = new Argument<string?>("VALUE") { Description = "The value; or else --file", Arity = ArgumentArity.ZeroOrOne };
        var keyspace = KeyValueArguments.Keyspace(terminal);
        var file = new Option<string?>("--file")
        {
            Description = "The value is the content of this file; - is standard input",
            HelpName = "FILE",
        };
        var timeToLive = Setting.Create<TimeSpan?>(
            terminal, "--ttl", "TIME", "The entry expires after this time: 30s, 5m, 2h, 7d", text => Duration.Parse(text), null);
        var condition = new WriteConditionOptions(terminal, mayBeAbsent: true);
        var durability = KeyValueArguments.Durability(terminal, DurabilityChoice.Sync);
        var encoding = new EncodingOptions();
        var verb = new Verb(
            "put",
            "Write an entry; it is on disk when the command ends",
            [
                "ashlar kv put ./store city/paris bonjour",
                "ashlar kv put ./store 42 alice --keyspace users",
                "ashlar kv put ./store photo --file -",
                "ashlar kv put ./store session/17 alice --ttl 30m",
                "ashlar kv put ./store lock/backup host1 --if-absent --ttl 10m",
                "ashlar kv put ./store city/paris salut --if-sequence 1",
                "ashlar kv put ./store 00ff deadbeef --hex",
            ],
            invocation =>
            {
                var isFromFile = invocation.IsGiven(file);
                var typed = invocation.Find(value);
                if (isFromFile == typed is not null)
                    throw Usage.Error(isFromFile ? "more than one value" : "VALUE is missing", "give a value or --file");
                condition.Check(invocation);
                var keyBytes = encoding.Parse(invocation, invocation.Get(key));
                var bytes = isFromFile ? ReadFile(invocation.Terminal, invocation.Get(file)!) : encoding.Parse(invocation, typed!);
                using var store = KeyValueArguments.Open(invocation, directory, keyspace);
                var batch = new WriteBatch();
                if (invocation.Get(timeToLive) is { } time) batch.Put(keyBytes, bytes, store.Entries.ExpiryAfter(time));
                else batch.Put(keyBytes, bytes);
                condition.Write(invocation, store, batch, invocation.Get(key), keyBytes, invocation.Get(durability).ToDurability());
                // Nobody else writes: the lock is held.
                var isThere = store.Entries.TryGetInfo(keyBytes, out var info);
                store.Close();
                KeyValueCommands.WriteChange(
                    invocation,
                    new()
                    {
                        Path = store.Directory,
                        Keyspace = store.Keyspace,
                        Operation = "put",
                        Entries = 1,
                        Sequence = isThere ? info.Sequence : null,
                    },
                    $"{invocation.Get(key)} has a value of {ByteSize.Format(bytes.Length)}");
                return ExitCode.Ok;
            })
        { directory, key, value, keyspace, file, timeToLive };
        foreach (var option in condition.All.Append(durability).Concat(encoding.All)) verb.Options.Add(option);
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
