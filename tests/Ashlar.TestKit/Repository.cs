namespace Ashlar.TestKit;

/// <summary>The working copy that the tests were built in.</summary>
public static class Repository
{
    public static string Root { get; } = FindRoot(AppContext.BaseDirectory);

    public static string SourceDirectory => Path.Combine(Root, "src");

    static string FindRoot(string directory) => File.Exists(Path.Combine(directory, "Ashlar.slnx"))
        ? directory
        : FindRoot(Path.GetDirectoryName(directory) ?? throw new InvalidOperationException("Not inside the repository."));
}
