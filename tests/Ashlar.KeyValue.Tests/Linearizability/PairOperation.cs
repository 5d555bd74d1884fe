using Ashlar.TestKit;

namespace Ashlar.KeyValue.Tests;

/// <summary>What two keys hold; 0 is nothing.</summary>
readonly record struct PairState(int Left, int Right);

/// <summary>A write of one or both keys of a pair, or a read and what it found.</summary>
readonly record struct PairOperation(bool IsWrite, int? Left, int? Right)
{
    public static PairOperation Write(int? left, int? right) => new(true, left, right);

    public static PairOperation Read(int? left, int? right) => new(false, left, right);

    /// <summary>A pair behaves like two variables that can be written together and read together.</summary>
    public static LinearizabilityChecker<PairState, PairOperation> NewChecker() => new(default, Step);

    static bool Step(PairState state, PairOperation operation, out PairState next)
    {
        next = operation.IsWrite ? new(operation.Left ?? state.Left, operation.Right ?? state.Right) : state;
        return operation.IsWrite || ((operation.Left ?? state.Left) == state.Left && (operation.Right ?? state.Right) == state.Right);
    }
}
