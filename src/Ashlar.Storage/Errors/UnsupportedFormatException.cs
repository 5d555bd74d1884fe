namespace Ashlar.Storage;

/// <summary>A file or directory is of another product or of a version that this program cannot read.</summary>
public sealed class UnsupportedFormatException : AshlarException
{
    /// <summary>Creates the error.</summary>
    /// <param name="path">The file or directory.</param>
    /// <param name="problem">What was found and what can be read.</param>
    public UnsupportedFormatException(string path, string problem)
        : base($"{path}: {problem}") => Path = path;

    /// <summary>The file or directory.</summary>
    public string Path { get; }
}
