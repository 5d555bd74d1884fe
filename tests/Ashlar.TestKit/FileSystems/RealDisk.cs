using Ashlar.Storage;

namespace Ashlar.TestKit;

/// <summary>The door of tests to a real disk: the best that there is, or with <c>ASHLAR_DOOR=portable</c> the portable one.</summary>
public static class RealDisk
{
    const string Variable = "ASHLAR_DOOR";

    /// <summary>Whether tests that do not care which disk they have are to use a real one, too.</summary>
    public static bool IsPortable { get; } = Environment.GetEnvironmentVariable(Variable) is { Length: > 0 } door
        && (door == "portable" ? true : throw new ArgumentException($"{Variable} is '{door}'; there is only 'portable'."));

    /// <summary>The door.</summary>
    public static IFileSystem Door => IsPortable ? FileSystems.Portable : FileSystems.Real;

    /// <summary>A directory of the real disk as a disk of its own, which is removed when the process ends.</summary>
    public static IFileSystem New() => new RootedFileSystem(Door, Directory.CreateDirectory(
        Path.Combine(Parent.Value, Path.GetRandomFileName())).FullName);

    // In memory where that can be: doors are compared here, not disks.
    static readonly Lazy<string> Parent = new(() =>
    {
        const string name = "ashlar-door-";
        var place = Directory.Exists("/dev/shm") ? "/dev/shm" : Path.GetTempPath();
        // Who runs tests may not wait until they have cleared up: what is left by processes that are gone goes here.
        foreach (var old in Directory.GetDirectories(place, name + "*"))
            if (!Directory.Exists($"/proc/{Path.GetFileName(old)[name.Length..]}")) Directory.Delete(old, recursive: true);
        var parent = Directory.CreateDirectory(Path.Combine(place, $"{name}{Environment.ProcessId}")).FullName;
        AppDomain.CurrentDomain.ProcessExit += (_, _) => Directory.Delete(parent, recursive: true);
        return parent;
    });
}
