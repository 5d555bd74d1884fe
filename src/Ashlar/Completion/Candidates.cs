namespace Ashlar.CommandLine;

/// <summary>What may stand at a place of a command line.</summary>
/// <param name="Words">Words, each with what it means, which may be empty.</param>
/// <param name="Files">Whether names of files may stand there as well: those the shell knows better.</param>
sealed record Candidates(IReadOnlyList<(string Word, string Meaning)> Words, FileKind Files = FileKind.None)
{
    public static Candidates None { get; } = new([]);

    /// <summary>Those that begin so.</summary>
    public Candidates BeginningWith(string prefix) =>
        this with { Words = [.. Words.Where(candidate => candidate.Word.StartsWith(prefix, StringComparison.Ordinal))] };
}

/// <summary>Names of files that may be completed.</summary>
enum FileKind
{
    None = 0,
    Files,
    Directories,
}
