using Ashlar.Simulation;
using Ashlar.Storage;

namespace Ashlar.KeyValue.Tests;

/// <summary>The files of a directory, taken out so that they can be changed and put onto a fresh disk.</summary>
sealed class StoreImage
{
    public const string Directory = "/store";

    public SortedDictionary<string, byte[]> Files { get; } = new(StringComparer.Ordinal);

    public static StoreImage Take(IFileSystem disk, string directory = Directory)
    {
        var image = new StoreImage();
        foreach (var name in disk.List(directory))
        {
            using var file = disk.Open($"{directory}/{name}", FileOpenMode.ReadOnly);
            var bytes = new byte[file.LengthBytes];
            Assert.Equal(bytes.Length, file.Read(bytes, 0));
            image.Files[name] = bytes;
        }

        return image;
    }

    public string Only(string prefix) => Files.Keys.First(name => name.StartsWith(prefix, StringComparison.Ordinal));

    public SimulatedFileSystem ToDisk()
    {
        var disk = new SimulatedFileSystem(isRecording: false);
        WriteTo(disk);
        return disk;
    }

    /// <summary>Writes the files, so that a power cut does not take them away.</summary>
    public void WriteTo(IFileSystem disk)
    {
        disk.CreateDirectory(Directory);
        disk.SyncDirectory("/");
        foreach (var (name, bytes) in Files)
        {
            using var file = disk.Open($"{Directory}/{name}", FileOpenMode.CreateNew);
            file.Write(bytes, 0);
            file.Sync();
        }

        disk.SyncDirectory(Directory);
    }

    public void RequireSameFiles(IFileSystem disk, string directory = Directory)
    {
        var now = Take(disk, directory);
        Assert.Equal(Files.Keys.Where(name => name != "LOCK"), now.Files.Keys.Where(name => name != "LOCK"));
        foreach (var (name, bytes) in Files) Assert.True(bytes.AsSpan().SequenceEqual(now.Files[name]), $"{name} was modified");
    }
}
