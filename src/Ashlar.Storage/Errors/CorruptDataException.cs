namespace Ashlar.Storage;

/// <summary>Stored bytes are not what was written: a checksum, a magic number or a structure does not hold.</summary>
public sealed class CorruptDataException : AshlarException
{
    /// <summary>Creates the error.</summary>
    /// <param name="filePath">File, or device name.</param>
    /// <param name="offsetBytes">Where in the file the damaged structure starts.</param>
    /// <param name="problem">What does not hold: "checksum mismatch: expected 1a2b3c4d, found 00000000".</param>
    public CorruptDataException(string filePath, long offsetBytes, string problem)
        : base($"{filePath}: damaged at byte {offsetBytes}: {problem}")
    {
        FilePath = filePath;
        OffsetBytes = offsetBytes;
        Problem = problem;
    }

    /// <summary>File, or device name.</summary>
    public string FilePath { get; }

    /// <summary>Where in the file the damaged structure starts.</summary>
    public long OffsetBytes { get; }

    /// <summary>What does not hold.</summary>
    public string Problem { get; }

    /// <summary>The block of the volume that cannot be given, counted as its clients count; null where that is not known.</summary>
    public long? Block { get; init; }
}
