using Ashlar.TestKit;

namespace Ashlar.Interop.Tests.Histories;

enum BlockCallKind
{
    Read,
    Write,
    CompareAndWrite,
}

/// <summary>What was asked of one block, and what was answered. A block holds one number, over and over; zeros are 0.</summary>
/// <param name="Kind">Zeroing is writing 0.</param>
/// <param name="Expected">By a compare and write.</param>
/// <param name="Value">Read or to be written.</param>
/// <param name="IsDone">Whether a compare and write wrote.</param>
readonly record struct BlockCall(BlockCallKind Kind, ulong Expected, ulong Value, bool IsDone = true)
{
    /// <summary>A block as a register: whether it can answer so in a state, and which state comes after.</summary>
    public static bool Step(ulong state, BlockCall call, out ulong next)
    {
        next = state;
        switch (call.Kind)
        {
            case BlockCallKind.Read:
                return state == call.Value;
            case BlockCallKind.CompareAndWrite when !call.IsDone:
                return state != call.Expected;
            case BlockCallKind.CompareAndWrite:
                next = call.Value;
                return state == call.Expected;
            default:
                next = call.Value;
                return true;
        }
    }

    public static Linearizability Check(IReadOnlyList<RecordedCall<BlockCall>> history) =>
        new LinearizabilityChecker<ulong, BlockCall>(0, Step).Check(history);
}
