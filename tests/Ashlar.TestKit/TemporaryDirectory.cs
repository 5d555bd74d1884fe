namespace Ashlar.TestKit;

/// <summary>A directory of a test's own; it is removed with everything in it when disposed.</summary>
public sealed class TemporaryDirectory : IDisposable
{
    /// <summary>Under the directory for temporary files, which may lie in memory.</summary>
    public TemporaryDirectory() => DirectoryPath = Directory.CreateTempSubdirectory("ashlar-test-").FullName;

    TemporaryDirectory(string path) => DirectoryPath = path;

    /// <summary>Absolute path.</summary>
    public string DirectoryPath { get; }

    /// <summary>Absolute path of a name in it.</summary>
    public string this[string name] => Path.Combine(DirectoryPath, name);

    /// <summary>On a disk with room for images and data directories: <c>ASHLAR_TEST_DIRECTORY</c>, or /var/tmp.</summary>
    public static TemporaryDirectory OnDisk()
    {
        var parent = Environment.GetEnvironmentVariable("ASHLAR_TEST_DIRECTORY")
            ?? (Directory.Exists("/var/tmp") ? "/var/tmp" : Path.GetTempPath());
        return new(Directory.CreateDirectory(Path.Combine(parent, $"ashlar-test-{Path.GetRandomFileName()}")).FullName);
    }

    public void Dispose() => Directory.Delete(DirectoryPath, recursive: true);

    public override string ToString() => DirectoryPath;
}
