namespace Ashlar.Interop.Tests.Tools;

/// <summary>A directory on disk (not in memory), removed with all it holds.</summary>
sealed class TemporaryDirectory : IDisposable
{
    /// <summary>Chooses the disk; the images and data directories of a run need about 4 GB.</summary>
    const string PlaceVariable = "ASHLAR_TEST_DIRECTORY";

    public TemporaryDirectory()
    {
        var parent = Environment.GetEnvironmentVariable(PlaceVariable) ?? (Directory.Exists("/var/tmp") ? "/var/tmp" : Path.GetTempPath());
        Root = Path.Combine(parent, $"ashlar-interop-{Path.GetRandomFileName()}");
        Directory.CreateDirectory(Root);
    }

    public string Root { get; }

    public string this[string name] => Path.Combine(Root, name);

    public void Dispose()
    {
        if (Directory.Exists(Root)) Directory.Delete(Root, recursive: true);
    }
}
