using System.Text.Json;

namespace Ashlar.Documents.Tests;

/// <summary>An image as "docker load" takes it: a list of layers, and what is started in them.</summary>
public sealed class ImageArchive
{
    readonly string directory;
    readonly JsonElement manifest;

    /// <param name="path">The archive.</param>
    /// <param name="directory">Where it is unpacked; empty, or missing.</param>
    public ImageArchive(string path, string directory)
    {
        this.directory = directory;
        Directory.CreateDirectory(directory);
        ExternalTool.Run("tar", "-xf", path, "-C", directory).MustSucceed();
        manifest = ReadJson("manifest.json")[0];
        Description = ReadJson(manifest.GetProperty("Config").GetString()!);
    }

    /// <summary>All that the image says of itself.</summary>
    public JsonElement Description { get; }

    /// <summary>How it is started.</summary>
    public JsonElement Settings => Description.GetProperty("config");

    /// <summary>"NAME:TAG".</summary>
    public IReadOnlyList<string> Names => Strings(manifest.GetProperty("RepoTags"));

    /// <summary>Program and arguments.</summary>
    public IReadOnlyList<string> CommandLine => [.. Strings(Settings.GetProperty("Entrypoint")), .. Strings(Settings.GetProperty("Cmd"))];

    /// <summary>"UID:GID".</summary>
    public string RunsAs => Settings.GetProperty("User").GetString()!;

    public IReadOnlyDictionary<string, string> Environment => Strings(Settings.GetProperty("Env"))
        .Select(variable => variable.Split('=', 2))
        .ToDictionary(pair => pair[0], pair => pair[1], StringComparer.Ordinal);

    public IReadOnlyList<string> Ports =>
        [.. Settings.GetProperty("ExposedPorts").EnumerateObject().Select(port => port.Name).Order(StringComparer.Ordinal)];

    /// <summary>Value of a label; null: there is no such label.</summary>
    public string? Label(string name) => Settings.GetProperty("Labels").TryGetProperty(name, out var value) ? value.GetString() : null;

    /// <summary>The files that are there and not in the base image, which is the first layer.</summary>
    public IReadOnlyList<string> OwnFiles() =>
    [
        .. LayerPaths.Skip(1)
            .SelectMany(layer => ExternalTool.Run("tar", "-tvf", layer).MustSucceed().Split('\n', StringSplitOptions.RemoveEmptyEntries))
            .Where(line => !line.StartsWith('d'))
            .Select(line => line.Split(' ')[^1]),
    ];

    /// <summary>Puts what is in the image into a directory.</summary>
    public void Unpack(string root)
    {
        Directory.CreateDirectory(root);
        foreach (var layer in LayerPaths) ExternalTool.Run("tar", "-xpf", layer, "--numeric-owner", "-C", root).MustSucceed();
    }

    IEnumerable<string> LayerPaths => Strings(manifest.GetProperty("Layers")).Select(layer => Path.Combine(directory, layer));

    JsonElement ReadJson(string name) => JsonDocument.Parse(File.ReadAllBytes(Path.Combine(directory, name))).RootElement;

    static IReadOnlyList<string> Strings(JsonElement list) => [.. list.EnumerateArray().Select(item => item.GetString()!)];
}
