namespace Ashlar.TestKit;

/// <summary>A call of one client, with its place in time. Times only need an order.</summary>
/// <param name="Operation">What was asked and what was answered.</param>
/// <param name="Begun">Before the call.</param>
/// <param name="Returned">
/// After it. <see cref="Never"/> where nobody knows whether it took effect: it may at any later time, or not at all.
/// </param>
public readonly record struct RecordedCall<TOperation>(TOperation Operation, long Begun, long Returned)
{
    public const long Never = long.MaxValue;
}

public enum Linearizability
{
    /// <summary>There is no order of the calls that explains every answer and respects who was finished before whom.</summary>
    No = 0,

    /// <summary>There is one.</summary>
    Yes,

    /// <summary>The search was given up.</summary>
    Unknown,
}
