namespace Ashlar.S3;

/// <summary>Limits of uploads in parts.</summary>
static class MultipartLimits
{
    public const int MaxParts = 10_000;

    /// <summary>Shortest part that is not the last.</summary>
    public const long MinPartBytes = 5 << 20;

    /// <summary>Longest part, and longest object that comes in one piece.</summary>
    public const long MaxPartBytes = 5L << 30;
}
