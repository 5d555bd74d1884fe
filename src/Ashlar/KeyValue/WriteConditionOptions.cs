using System.CommandLine;
using Ashlar.KeyValue;

namespace Ashlar.CommandLine;

/// <summary>What a key must hold for a command to write it: <c>--if-absent</c> and <c>--if-sequence</c>.</summary>
sealed class WriteConditionOptions
{
    readonly Option<bool>? ifAbsent;
    readonly Option<long> ifSequence;

    /// <summary>The options of a command.</summary>
    /// <param name="terminal">Where the program was called.</param>
    /// <param name="mayBeAbsent">Whether it is of use that the key is absent.</param>
    public WriteConditionOptions(Terminal terminal, bool mayBeAbsent)
    {
        if (mayBeAbsent) ifAbsent = new("--if-absent") { Description = "Only if the key is absent; otherwise the command ends with 6" };
        ifSequence = Setting.Create(
            terminal,
            "--if-sequence",
            "NUMBER",
            "Only if nobody has written the key since get -o json told this sequence; otherwise the command ends with 6",
            KeyValueArguments.ParseNumber(1, long.MaxValue),
            0L);
    }

    public IEnumerable<Option> All => ifAbsent is null ? [ifSequence] : [ifAbsent, ifSequence];

    public bool IsGiven(Invocation invocation) => IsIfAbsent(invocation) || invocation.IsGiven(ifSequence);

    /// <summary>Refuses options that contradict each other.</summary>
    public void Check(Invocation invocation)
    {
        if (IsIfAbsent(invocation) && invocation.IsGiven(ifSequence))
            throw Usage.Error("--if-absent and --if-sequence cannot be combined");
    }

    /// <summary>Writes a batch, if the condition holds where there is one.</summary>
    /// <exception cref="CommandException">It does not hold; nothing was written.</exception>
    public void Write(
        Invocation invocation, OpenedStore store, WriteBatch batch, string typedKey, byte[] key, Durability durability)
    {
        if (!IsGiven(invocation))
        {
            store.Write(batch, durability);
            return;
        }

        var sequence = IsIfAbsent(invocation) ? 0 : (ulong)invocation.Get(ifSequence);
        if (store.Entries.TryWrite(batch, new WriteConditions().RequireUnchanged(key, sequence), durability)) return;
        var isThere = store.Entries.TryGetInfo(key, out var found);
        throw (sequence, isThere) switch
        {
            (0, _) => new CommandException(
                ExitCode.Conflict, Api.ProblemTypes.Exists, $"the key '{typedKey}' is there already, with sequence {found.Sequence}"),
            (_, true) => new CommandException(
                ExitCode.Conflict, Api.ProblemTypes.InvalidRequest,
                $"the key '{typedKey}' has sequence {found.Sequence}, not {sequence}: somebody has written it since", "read it again"),
            _ => new CommandException(
                ExitCode.Conflict, Api.ProblemTypes.InvalidRequest,
                $"the key '{typedKey}' is not there any more: somebody has deleted it since, or it has expired", "read it again"),
        };
    }

    bool IsIfAbsent(Invocation invocation) => ifAbsent is not null && invocation.Get(ifAbsent);
}
