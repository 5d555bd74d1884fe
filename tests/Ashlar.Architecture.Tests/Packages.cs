using System.Diagnostics;
using System.IO.Compression;

namespace Ashlar.Architecture.Tests;

/// <summary>The packages of this repository, each packed once for all tests that use it.</summary>
public sealed class Packages : IDisposable
{
    readonly string directory = Directory.CreateTempSubdirectory("ashlar-packages-").FullName;
    readonly Dictionary<string, string> manifests = new(StringComparer.Ordinal);

    /// <summary>The folder that they are in.</summary>
    public string Folder => $"{directory}/packages";

    public void Dispose() => Directory.Delete(directory, recursive: true);

    /// <summary>Packs a project, unless it has been packed before, and requires these assemblies of the package.</summary>
    /// <returns>The manifest of the package.</returns>
    public async Task<string> PackAsync(string project, params string[] assemblies)
    {
        if (!manifests.TryGetValue(project, out var manifest))
            manifests[project] = manifest = await PackOnceAsync(project, assemblies);
        return manifest;
    }

    internal static async Task<string> DotnetAsync(string workingDirectory, bool isUser, params string[] arguments)
    {
        var start = new ProcessStartInfo("dotnet", arguments)
        {
            WorkingDirectory = workingDirectory,
            UseShellExecute = false,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        // What was restored from elsewhere does not count, and compilers that stay behind would keep the directory in use.
        if (isUser) start.Environment["NUGET_PACKAGES"] = $"{workingDirectory}/restored";
        start.Environment["MSBUILDDISABLENODEREUSE"] = "1";
        start.Environment["UseSharedCompilation"] = "false";
        start.Environment["DOTNET_CLI_TELEMETRY_OPTOUT"] = "1";
        start.Environment["DOTNET_NOLOGO"] = "1";
        using var process = Process.Start(start)!;
        var output = process.StandardOutput.ReadToEndAsync();
        var error = process.StandardError.ReadToEndAsync();
        await process.WaitForExitAsync();
        Assert.True(process.ExitCode == 0, $"dotnet {string.Join(' ', arguments)}\n{await output}{await error}");
        return await output;
    }

    async Task<string> PackOnceAsync(string project, string[] assemblies)
    {
        await DotnetAsync(
            Repository.Root, isUser: false, "pack", $"src/{project}", "-c", "Release", "-o", Folder, "-v", "quiet",
            $"-p:ArtifactsPath={directory}/artifacts", "-p:RunAnalyzers=false", "-p:EnforceCodeStyleInBuild=false");
        var package = Assert.Single(Directory.GetFiles(Folder, $"{project}.0*"));
        using var zip = await ZipFile.OpenReadAsync(package);
        Assert.Equal(
            assemblies.SelectMany(name => (string[])[$"lib/net10.0/{name}.dll", $"lib/net10.0/{name}.xml"]).Append("README.md"),
            zip.Entries.Select(entry => entry.FullName)
                .Where(name => name.StartsWith("lib/", StringComparison.Ordinal) || name == "README.md")
                .OrderBy(name => name == "README.md")
                .ThenBy(name => name, StringComparer.Ordinal));
        using var manifest = new StreamReader(await zip.GetEntry($"{project}.nuspec")!.OpenAsync());
        var text = await manifest.ReadToEndAsync();
        Assert.Contains("Apache-2.0", text, StringComparison.Ordinal);
        return text;
    }
}
