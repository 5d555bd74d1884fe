namespace Ashlar.Api;

/// <summary>Why a request failed (RFC 9457).</summary>
public sealed record Problem
{
    /// <summary>One of <see cref="ProblemTypes"/>: what programs decide by.</summary>
    public required string Type { get; init; }

    /// <summary>The same in words, equal for every problem of the type.</summary>
    public required string Title { get; init; }

    /// <summary>HTTP status code.</summary>
    public required int Status { get; init; }

    /// <summary>What happened this time.</summary>
    public string? Detail { get; init; }

    /// <summary>What may help.</summary>
    public string? Hint { get; init; }

    /// <summary>Exit code of the program; absent in answers of the API.</summary>
    public int? ExitCode { get; init; }
}
