namespace Ashlar.Documents.Tests;

/// <summary>A block of a document between two fences.</summary>
/// <param name="Document">Path from the root of the repository.</param>
/// <param name="Line">Of its first line of text, from 1.</param>
/// <param name="Language">sh and console are commands; what else there is, is not.</param>
/// <param name="Text">Without the fences.</param>
/// <param name="NotRun">Why it is not run, as the comment above it says: "not run: REASON". Null: it is run.</param>
sealed record Fence(string Document, int Line, string Language, string Text, string? NotRun)
{
    public bool IsCommands => Language is "sh" or "console";

    public override string ToString() => $"{Document}:{Line}";
}
