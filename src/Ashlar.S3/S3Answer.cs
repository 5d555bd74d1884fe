namespace Ashlar.S3;

/// <summary>What kind of work a request was.</summary>
public enum S3Work
{
    /// <summary>What does not concern content: buckets, policies, tags, what is not supported.</summary>
    Other = 0,

    /// <summary>An object was read, or what is known of it.</summary>
    Read,

    /// <summary>An object was made, or a part of one.</summary>
    Write,

    /// <summary>Objects were deleted.</summary>
    Delete,

    /// <summary>Something was listed.</summary>
    List,
}

/// <summary>A request that was answered.</summary>
/// <param name="Work">What it was.</param>
/// <param name="Status">The status; 499 where the client did not wait for it.</param>
/// <param name="Took">How long it took, from its headers to the end of its answer.</param>
public readonly record struct S3Answer(S3Work Work, int Status, TimeSpan Took)
{
    const int FirstFailure = 400;

    /// <summary>Whether it failed, was refused, or was given up.</summary>
    public bool HasFailed => Status >= FirstFailure;
}
