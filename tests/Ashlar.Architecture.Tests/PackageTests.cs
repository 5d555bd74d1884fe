using System.Diagnostics;
using System.IO.Compression;

namespace Ashlar.Architecture.Tests;

/// <summary>The package of the key-value engine is complete, and enough: a user's project needs it and .NET, no other feed.</summary>
public sealed class PackageTests : IDisposable
{
    readonly string directory = Directory.CreateTempSubdirectory("ashlar-package-").FullName;

    public void Dispose() => Directory.Delete(directory, recursive: true);

    [Fact]
    public async Task The_sample_is_restored_from_the_package_alone_and_runs()
    {
        await Dotnet(
            Repository.Root, "pack", "src/Ashlar.KeyValue", "-c", "Release", "-o", $"{directory}/packages", "-v", "quiet",
            $"-p:ArtifactsPath={directory}/artifacts", "-p:RunAnalyzers=false", "-p:EnforceCodeStyleInBuild=false");
        var package = Assert.Single(Directory.GetFiles($"{directory}/packages"));
        using (var zip = await ZipFile.OpenReadAsync(package))
        {
            var names = zip.Entries.Select(entry => entry.FullName).ToArray();
            foreach (var name in (string[])["README.md", "lib/net10.0/Ashlar.KeyValue.dll", "lib/net10.0/Ashlar.KeyValue.xml", "lib/net10.0/Ashlar.Storage.dll", "lib/net10.0/Ashlar.Storage.xml"])
                Assert.Contains(name, names);
            using var manifest = new StreamReader(await zip.GetEntry("Ashlar.KeyValue.nuspec")!.OpenAsync());
            var text = await manifest.ReadToEndAsync();
            Assert.DoesNotContain("<dependency ", text, StringComparison.Ordinal);
            Assert.Contains("Apache-2.0", text, StringComparison.Ordinal);
        }

        Copy("nuget.config", "Directory.Build.props", "Directory.Packages.props", "KeyValue/KeyValue.csproj", "KeyValue/Program.cs");
        var printed = await Dotnet(directory, "run", "--project", "KeyValue", "--", $"{directory}/store");
        Assert.Equal(
            """
            Paris: 2.1 million
            city/oslo: 0.7 million
            city/paris: 2.1 million
            city/rome: 2.8 million

            """,
            printed);
    }

    void Copy(params string[] names)
    {
        Directory.CreateDirectory($"{directory}/KeyValue");
        foreach (var name in names) File.Copy($"{Repository.Root}/samples/{name}", $"{directory}/{name}");
    }

    async Task<string> Dotnet(string workingDirectory, params string[] arguments)
    {
        var start = new ProcessStartInfo("dotnet", arguments)
        {
            WorkingDirectory = workingDirectory,
            UseShellExecute = false,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        // What was restored from elsewhere does not count, and compilers that stay behind would keep the directory in use.
        if (workingDirectory == directory) start.Environment["NUGET_PACKAGES"] = $"{directory}/restored";
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
}
