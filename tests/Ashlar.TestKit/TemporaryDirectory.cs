namespace Ashlar.TestKit;

/// <summary>A directory of a test's own on the real disk; it is removed with everything in it when disposed.</summary>
public sealed class TemporaryDirectory : IDisposable
{
    public TemporaryDirectory() => DirectoryPath = Directory.CreateTempSubdirectory("ashlar-test-").FullName;

    /// <summary>Absolute path.</summary>
    public string DirectoryPath { get; }

    /// <summary>Absolute path of a name in it.</summary>
    public string this[string name] => Path.Combine(DirectoryPath, name);

    public void Dispose() => Directory.Delete(DirectoryPath, recursive: true);

    public override string ToString() => DirectoryPath;
}
