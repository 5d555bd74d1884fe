using System.CommandLine;
using Ashlar.KeyValue;

namespace Ashlar.CommandLine;

/// <summary><c>ashlar kv expire</c>: another time to live for an entry that is there.</summary>
static class KeyValueExpireCommand
{
    const string Never = "never";

    public static Verb Create(Terminal terminal)
    {
        var directory = KeyValueArguments.Directory();
        var key = KeyValueArguments.Key();
        // Zero: it does not expire any more.
        var time = new Argument<TimeSpan>("TIME")
        {
            Description = $"How long it lives from now on: 30s, 5m, 2h, 7d; or {Never}",
            CustomParser = result =>
            {
                try
                {
                    return result.Tokens[0].Value is Never ? TimeSpan.Zero : Duration.Parse(result.Tokens[0].Value);
                }
                catch (FormatException e)
                {
                    result.AddError($"TIME: {e.Message}, or {Never}");
                    return default;
                }
            },
        };
        time.CompletionSources.Add(Never);
        var keyspace = KeyValueArguments.Keyspace(terminal);
        var durability = KeyValueArguments.Durability(terminal, DurabilityChoice.Sync);
        var encoding = new EncodingOptions();
        var verb = new Verb(
            "expire",
            "Say how long an entry that is there lives from now on; its value stays",
            ["ashlar kv expire ./store city/paris 30m", "ashlar kv expire ./store city/paris never"],
            invocation =>
            {
                var keyBytes = encoding.Parse(invocation, invocation.Get(key));
                var lifetime = invocation.Get(time);
                using var store = KeyValueArguments.Open(invocation, directory, keyspace);
                var lasting = invocation.Get(durability).ToDurability();
                DateTimeOffset? end = lifetime == TimeSpan.Zero ? null : store.Entries.ExpiryAfter(lifetime);
                if (!TryKeep(store, keyBytes, end, lasting)) throw store.NoKey(invocation.Get(key));
                store.Entries.TryGetInfo(keyBytes, out var info); // Not any more, where it has expired by now.
                store.Close();
                KeyValueCommands.WriteChange(
                    invocation,
                    new()
                    {
                        Path = store.Directory,
                        Keyspace = store.Keyspace,
                        Operation = "expire",
                        Entries = 1,
                        Sequence = info.Sequence == 0 ? null : info.Sequence,
                        ExpiresAt = end,
                    },
                    $"{invocation.Get(key)} {(end is { } moment ? $"expires at {CommitTimes.Format(moment)}" : "does not expire")}");
                return ExitCode.Ok;
            })
        { directory, key, time, keyspace, durability };
        foreach (var option in encoding.All) verb.Options.Add(option);
        return verb;
    }

    // The lock of the store is held, so nobody else writes: what is refused has expired meanwhile.
    static bool TryKeep(OpenedStore store, byte[] key, DateTimeOffset? expiresAt, Durability durability)
    {
        if (store.Entries.Get(key, out var info) is not { } value) return false;
        var batch = new WriteBatch();
        if (expiresAt is { } end) batch.Put(key, value, end);
        else batch.Put(key, value);
        return store.Entries.TryWrite(batch, new WriteConditions().RequireUnchanged(key, info.Sequence), durability);
    }
}
