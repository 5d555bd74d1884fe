using System.IO.Compression;

namespace Ashlar.Architecture.Tests;

/// <summary>Packages of this repository in a directory of their own, and samples that are built from them as anybody builds them.</summary>
sealed class LocalFeed : IDisposable
{
    readonly string directory = Directory.CreateTempSubdirectory("ashlar-feed-").FullName;

    /// <summary>Absolute path of a name in the directory.</summary>
    public string this[string name] => Path.Combine(directory, name);

    public void Dispose() => Directory.Delete(directory, recursive: true);

    /// <summary>Packs a project; gives what the package says of itself.</summary>
    public async Task<string> Pack(string project)
    {
        await Command.Pack(project, this["packages"], this["artifacts"]);
        var package = Assert.Single(Directory.GetFiles(this["packages"], $"{project}.0*.nupkg"));
        using var zip = await ZipFile.OpenReadAsync(package);
        using var manifest = new StreamReader(await zip.GetEntry($"{project}.nuspec")!.OpenAsync());
        return await manifest.ReadToEndAsync();
    }

    /// <summary>Puts a sample into the directory, with what samples share and files of its own besides project and program.</summary>
    public void CopySample(string sample, params string[] others)
    {
        Directory.CreateDirectory(this[sample]);
        string[] names =
        [
            "nuget.config", "Directory.Build.props", "Directory.Packages.props", $"{sample}/{sample}.csproj", $"{sample}/Program.cs",
            .. others,
        ];
        foreach (var name in names) File.Copy($"{Repository.Root}/samples/{name}", this[name]);
    }

    /// <summary>Runs dotnet in the directory; gives its output.</summary>
    public Task<string> Dotnet(params string[] arguments) => Command.Run("dotnet", directory, this["restored"], arguments);
}
