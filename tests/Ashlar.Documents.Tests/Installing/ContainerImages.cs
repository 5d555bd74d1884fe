using System.Diagnostics;

namespace Ashlar.Documents.Tests;

/// <summary>The container images, each built once for all tests.</summary>
public sealed class ContainerImages : IDisposable
{
    static readonly TimeSpan LongestBuild = TimeSpan.FromMinutes(15);

    readonly TemporaryDirectory directory = TemporaryDirectory.OnDisk();
    readonly Dictionary<Processor, ImageArchive> images = [];

    public string DirectoryPath => directory.DirectoryPath;

    /// <summary>That for a processor.</summary>
    public async Task<ImageArchive> OfAsync(Processor processor)
    {
        if (images.TryGetValue(processor, out var image)) return image;
        await using var registry = await ImageRegistry.StartAsync();
        var archive = directory[$"{processor.Debian}.tar"];
        // As docs/operating/installing.md builds it, but for the base image, and with the objects of the Debian package.
        var start = new ProcessStartInfo("dotnet",
        [
            "publish", "src/Ashlar", $"-p:PublishProfile={processor.Profile}", "-t:PublishContainer",
            $"-p:ContainerArchiveOutputPath={archive}", $"-p:ContainerBaseImage={registry.Host}/base:1",
            $"-p:ArtifactsPath={Repository.Root}/artifacts/deb-objects", "-p:RunAnalyzers=false",
            "-p:UseSharedCompilation=false", "--nologo", "-v", "quiet",
        ])
        {
            WorkingDirectory = Repository.Root,
        };
        start.Environment["DOTNET_CONTAINER_INSECURE_REGISTRIES"] = registry.Host;
        start.Environment["MSBUILDDISABLENODEREUSE"] = "1";
        (await Task.Run(() => ExternalTool.Run(LongestBuild, start))).MustSucceed();
        return images[processor] = new(archive, directory[processor.Debian]);
    }

    public void Dispose() => directory.Dispose();
}
