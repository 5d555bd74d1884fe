using System.CommandLine;
using Ashlar.KeyValue;

namespace Ashlar.CommandLine;

/// <summary><c>ashlar kv delete</c>: single entries, or all in a range at once.</summary>
static class KeyValueDeleteCommand
{
    public static Verb Create(Terminal terminal)
    {
        var directory = KeyValueArguments.Directory();
        var keys = new Argument<string[]>("KEY")
        {
            Description = "The keys; or else a range, or --all",
            Arity = ArgumentArity.ZeroOrMore,
        };
        var keyspace = KeyValueArguments.Keyspace(terminal);
        var range = new KeyRangeOptions();
        var all = new Option<bool>("--all") { Description = "Every key of the store that is in no keyspace, or of the keyspace; asks" };
        var yes = new Option<bool>("--yes", "-y") { Description = "Do not ask" };
        var condition = new WriteConditionOptions(terminal, mayBeAbsent: false);
        var durability = KeyValueArguments.Durability(terminal, DurabilityChoice.Sync);
        var encoding = new EncodingOptions();
        var verb = new Verb(
            "delete",
            "Delete entries, or all in a range at once; one that is not there is no error",
            [
                "ashlar kv delete ./store city/atlantis",
                "ashlar kv delete ./store city/paris --if-sequence 1",
                "ashlar kv delete ./store --prefix session/",
                "ashlar kv delete ./store --from 2025 --to 2026 --keyspace users",
                "ashlar kv delete ./store --all --yes",
                "ashlar kv delete ./store 00ff 01ff --hex",
            ],
            async (invocation, cancellationToken) =>
            {
                var typed = invocation.Get(keys);
                RequireOneKind(typed.Length > 0, range.IsGiven(invocation), invocation.Get(all));
                if (condition.IsGiven(invocation) && typed.Length != 1) throw Usage.Error("--if-sequence is for one key");
                var batch = new WriteBatch();
                foreach (var key in typed) batch.Delete(encoding.Parse(invocation, key));
                var deleted = range.Parse(invocation, encoding);
                if (range.IsGiven(invocation)) RequireSomeKeys(deleted);
                using var store = KeyValueArguments.Open(invocation, directory, keyspace);
                if (invocation.Get(all)) await invocation.ConfirmAsync(Question(store), invocation.Get(yes), cancellationToken);
                var lasting = invocation.Get(durability).ToDurability();
                if (typed.Length == 0) store.Entries.DeleteRange(deleted, lasting);
                else condition.Write(invocation, store, batch, typed[0], encoding.Parse(invocation, typed[0]), lasting);
                store.Close();
                KeyValueCommands.WriteChange(
                    invocation,
                    new()
                    {
                        Path = store.Directory,
                        Keyspace = store.Keyspace,
                        Operation = "delete",
                        Entries = typed.Length == 0 ? null : typed.Length,
                    },
                    typed.Length switch
                    {
                        0 => $"{range.Describe(invocation)} are deleted",
                        1 => $"{typed[0]} is deleted",
                        _ => $"{typed.Length} keys are deleted",
                    });
                return ExitCode.Ok;
            })
        { directory, keys, keyspace };
        verb.Aliases.Add("rm");
        foreach (var option in range.All.Concat([all, yes]).Concat(condition.All).Append(durability).Concat(encoding.All))
            verb.Options.Add(option);
        return verb;
    }

    static void RequireOneKind(bool hasKeys, bool hasRange, bool isAll)
    {
        switch ((hasKeys ? 1 : 0) + (hasRange ? 1 : 0) + (isAll ? 1 : 0))
        {
            case 0:
                throw Usage.Error("KEY is missing", "give keys, a range by --prefix or by --from and --to, or --all");
            case > 1:
                throw Usage.Error("keys, a range and --all cannot be combined");
        }
    }

    static void RequireSomeKeys(KeyRange range)
    {
        // The first key that there can be is a byte of 0.
        if (range.Start is [] or [0] && !range.HasEnd) throw Usage.Error("this range is every key", "ask for that by --all");
        if (range.HasEnd && range.Start.SequenceCompareTo(range.End) >= 0) throw Usage.Error("this range has no keys");
    }

    static string Question(OpenedStore store) => store.Keyspace is { } keyspace
        ? $"Delete every key of keyspace '{keyspace}' of {store.Directory}?"
        : $"Delete every key of {store.Directory}{(store.ListKeyspaces().Count > 0 ? " that is in no keyspace" : "")}?";
}
