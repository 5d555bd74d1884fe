using System.Text.Json;
using Ashlar.Simulation;
using Ashlar.Storage;

namespace Ashlar.KeyValue.Scenarios.Tests;

/// <summary>What must be found in the files of a golden disk.</summary>
/// <param name="Options">The scenario that wrote it.</param>
/// <param name="Generation">Which of its stores is the store.</param>
/// <param name="Content">What it holds.</param>
/// <param name="Backups">What its backups hold.</param>
sealed record GoldenContent(
    ScenarioOptions Options,
    int Generation,
    SortedDictionary<string, string> Content,
    SortedDictionary<ulong, SortedDictionary<string, string>> Backups);

/// <summary>A disk as some version left it, with stores, backups and archives; as files, to be kept for ever.</summary>
static class GoldenDisk
{
    const string ContentName = "content.json";

    static readonly JsonSerializerOptions Readable = new() { WriteIndented = true };

    /// <summary>Writes a disk to a real directory.</summary>
    public static void Save(SimulatedFileSystem disk, GoldenContent content, string target)
    {
        foreach (var path in FilesOf(disk, "/data"))
        {
            var file = Path.Combine(target, path.TrimStart('/'));
            Directory.CreateDirectory(Path.GetDirectoryName(file)!);
            File.WriteAllBytes(file, Read(disk, path));
        }

        File.WriteAllText(Path.Combine(target, ContentName), JsonSerializer.Serialize(content, Readable));
    }

    /// <summary>Loads one.</summary>
    public static (SimulatedFileSystem Disk, GoldenContent Content) Load(string source)
    {
        var disk = new SimulatedFileSystem(isRecording: false);
        foreach (var file in Directory.EnumerateFiles(source, "*", SearchOption.AllDirectories).Order(StringComparer.Ordinal))
        {
            var path = "/" + Path.GetRelativePath(source, file);
            if (path == $"/{ContentName}") continue;
            disk.CreateDirectories(Path.GetDirectoryName(path)!);
            using var copy = disk.Open(path, FileOpenMode.CreateNew);
            copy.Write(File.ReadAllBytes(file), 0);
        }

        return (disk, JsonSerializer.Deserialize<GoldenContent>(File.ReadAllText(Path.Combine(source, ContentName)))!);
    }

    static IEnumerable<string> FilesOf(SimulatedFileSystem disk, string directory) => disk.List(directory)
        .Select(name => $"{directory}/{name}")
        .SelectMany(path => disk.DirectoryExists(path) ? FilesOf(disk, path) : [path]);

    static byte[] Read(SimulatedFileSystem disk, string path)
    {
        using var file = disk.Open(path, FileOpenMode.ReadOnly);
        var bytes = new byte[file.LengthBytes];
        file.Read(bytes, 0);
        return bytes;
    }
}
