using Ashlar.Storage;

namespace Ashlar.Iscsi;

/// <summary>
/// Which commands a session takes (RFC 7143, 4.2.2.1): from ExpCmdSN to MaxCmdSN. One thread admits; tasks begin and end on any.
/// </summary>
sealed class CommandWindow(uint firstCmdSN, int depth)
{
    /// <summary>Commands that may wait or run at a time.</summary>
    public const int DefaultDepth = 128;

    uint expected = firstCmdSN;
    uint most = firstCmdSN + (uint)depth - 1;
    int tasks;

    public uint ExpCmdSN => Volatile.Read(ref expected);

    public uint MaxCmdSN => Volatile.Read(ref most);

    /// <summary>Decides on a command that is not immediate, and counts it when it is taken.</summary>
    public CommandVerdict Admit(uint cmdSN)
    {
        if (SerialNumber.IsBefore(cmdSN, expected) || SerialNumber.IsAfter(cmdSN, most)) return CommandVerdict.OutsideWindow;
        if (cmdSN != expected) return CommandVerdict.Missing;
        Volatile.Write(ref expected, expected + 1);
        return CommandVerdict.Next;
    }

    public bool Contains(uint cmdSN) => !SerialNumber.IsBefore(cmdSN, ExpCmdSN) && !SerialNumber.IsAfter(cmdSN, MaxCmdSN);

    public void TaskBegins() => Interlocked.Increment(ref tasks);

    public void TaskEnds() => Invariant.Require(Interlocked.Decrement(ref tasks) >= 0);

    /// <summary>Opens the window for as many commands as there is room. Called by one thread at a time.</summary>
    public void Advance()
    {
        var room = expected + (uint)Math.Max(0, depth - Volatile.Read(ref tasks)) - 1;
        // It never closes again: the initiator may already have sent what it was allowed to.
        if (SerialNumber.IsAfter(room, most)) Volatile.Write(ref most, room);
    }
}

/// <summary>What becomes of a command.</summary>
enum CommandVerdict
{
    /// <summary>The one that is due.</summary>
    Next = 0,

    /// <summary>To be ignored in silence.</summary>
    OutsideWindow,

    /// <summary>One before it has not come.</summary>
    Missing,
}
