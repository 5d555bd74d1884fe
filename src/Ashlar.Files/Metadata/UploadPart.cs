namespace Ashlar.Files;

/// <summary>A part of an upload in parts: durable, and in no file yet.</summary>
public sealed record UploadPart
{
    /// <summary>Highest number.</summary>
    public const int MaxNumber = 10_000;

    /// <summary>Most blocks of one part.</summary>
    public const int MaxBlocks = 32_768;

    /// <summary>Its number, from 1: where it comes in the file.</summary>
    public required int Number { get; init; }

    /// <summary>Its length.</summary>
    public required long SizeBytes { get; init; }

    /// <summary>Its entity tag: ASCII.</summary>
    public required string Tag { get; init; }

    /// <summary>When it was put.</summary>
    public required DateTimeOffset CreatedAt { get; init; }

    /// <summary>What is kept beside it.</summary>
    public FileProperties Properties { get; init; } = FileProperties.Empty;

    /// <summary>Its blocks, in order.</summary>
    public required IReadOnlyList<FileBlock> Blocks { get; init; }
}
