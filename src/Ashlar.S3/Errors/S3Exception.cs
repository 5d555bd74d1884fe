namespace Ashlar.S3;

/// <summary>Ends a request with an error.</summary>
sealed class S3Exception(S3Error error, string message, Exception? cause = null) : Exception(message, cause)
{
    public S3Error Error { get; } = error;

    /// <summary>Elements of the answer beside the usual ones.</summary>
    public IReadOnlyList<(string Name, string Value)> Details { get; init; } = [];
}
