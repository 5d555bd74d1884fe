using System.IO.Compression;
using Ashlar.TestKit;

namespace Ashlar.Architecture.Tests;

/// <summary>All packages, packed once into a feed of their own, and what a user of them does by the command line.</summary>
public sealed class PackedFeed : IAsyncLifetime
{
    /// <summary>The packages whose documents show what runs by itself, each behind those that it needs.</summary>
    public static readonly string[] Shown =
        ["Ashlar.Storage", "Ashlar.KeyValue", "Ashlar.KeyValue.Sharding", "Ashlar.Blocks", "Ashlar.Planning"];

    /// <summary>All of them: those for programs with a host as well.</summary>
    public static readonly string[] Packages = [.. Shown, "Ashlar.KeyValue.Extensions", "Ashlar.KeyValue.Caching"];

    static readonly string[] SharedBySamples =
        ["nuget.config", "Directory.Build.props", "Directory.Build.targets", "Directory.Packages.props"];

    /// <summary>A directory of its own; the feed is <c>packages</c> in it.</summary>
    public string DirectoryPath { get; } = Directory.CreateTempSubdirectory("ashlar-package-").FullName;

    /// <summary>Absolute path of a name in the directory.</summary>
    public string this[string name] => Path.Combine(DirectoryPath, name);

    public async Task InitializeAsync()
    {
        // In one run of MSBuild: each costs seconds before it begins.
        await File.WriteAllTextAsync(this["packages.proj"], $"""
            <Project DefaultTargets="Pack">
              <ItemGroup>
                {string.Concat(Packages.Select(package => $"<Package Include=\"{Repository.Root}/src/{package}/{package}.csproj\" />"))}
              </ItemGroup>
              <Target Name="Pack">
                <MSBuild Projects="@(Package)" Targets="Restore" Properties="MSBuildRestoreSessionId=packages" />
                <MSBuild Projects="@(Package)" Targets="Pack" BuildInParallel="true" />
              </Target>
            </Project>
            """);
        await Command.Run(
            "dotnet", Repository.Root, null, "msbuild", this["packages.proj"], "-m", "-nologo", "-v:quiet", "-p:Configuration=Release",
            $"-p:PackageOutputPath={this["packages"]}", $"-p:ArtifactsPath={this["artifacts"]}", "-p:RunAnalyzers=false",
            "-p:EnforceCodeStyleInBuild=false");
    }

    public Task DisposeAsync()
    {
        Directory.Delete(DirectoryPath, recursive: true);
        return Task.CompletedTask;
    }

    /// <summary>What is in a package, by its path there.</summary>
    public SortedDictionary<string, byte[]> Open(string package)
    {
        using var zip = ZipFile.OpenRead(Assert.Single(Directory.GetFiles(this["packages"], $"{package}.0*")));
        var content = new SortedDictionary<string, byte[]>(StringComparer.Ordinal);
        foreach (var entry in zip.Entries)
        {
            using var stream = entry.Open();
            using var bytes = new MemoryStream();
            stream.CopyTo(bytes);
            content[entry.FullName] = bytes.ToArray();
        }

        return content;
    }

    /// <summary>A project outside of the repository, with nothing but this feed, and those that a file <c>nuget.config</c> adds.</summary>
    /// <param name="name">Its name.</param>
    /// <param name="packages">Packages of ours.</param>
    /// <param name="files">Its files by their names.</param>
    /// <param name="others">Packages of others, as <c>name/version</c>.</param>
    /// <returns>Its directory.</returns>
    public string NewProject(
        string name, IReadOnlyList<string> packages, IReadOnlyDictionary<string, string> files, params string[] others)
    {
        var directory = Directory.CreateDirectory(this[name]).FullName;
        Take("nuget.config");
        var references = packages.Select(package => $"{package}/0.*").Concat(others).Select(reference => reference.Split('/'));
        File.WriteAllText($"{directory}/{name}.csproj", $"""
            <Project Sdk="Microsoft.NET.Sdk">
              <PropertyGroup>
                <OutputType>Exe</OutputType>
                <TargetFramework>net10.0</TargetFramework>
                <Nullable>enable</Nullable>
                <ImplicitUsings>enable</ImplicitUsings>
              </PropertyGroup>
              <ItemGroup>
                {string.Concat(references.Select(one => $"<PackageReference Include=\"{one[0]}\" Version=\"{one[1]}\" />"))}
              </ItemGroup>
            </Project>
            """);
        foreach (var (path, text) in files) File.WriteAllText($"{directory}/{path}", text);
        return directory;
    }

    /// <summary>Runs a sample, as it is in the repository.</summary>
    public async Task<string> RunSample(string sample)
    {
        CopySample(sample);
        return await Dotnet(DirectoryPath, "run", "--project", sample, "--", this[$"stores/{sample}"]);
    }

    /// <summary>Puts a sample into the directory, with what samples share, and files of its own besides project and program.</summary>
    public void CopySample(string sample, params string[] others)
    {
        Directory.CreateDirectory(this[sample]);
        foreach (var name in (string[])[.. SharedBySamples, $"{sample}/{sample}.csproj", $"{sample}/Program.cs", .. others]) Take(name);
    }

    /// <summary>Runs a command of dotnet, and gives what it printed.</summary>
    public async Task<string> Dotnet(string workingDirectory, params string[] arguments) =>
        await Command.Run("dotnet", workingDirectory, this["restored"], arguments);

    void Take(string name)
    {
        if (!File.Exists(this[name])) File.Copy($"{Repository.Root}/samples/{name}", this[name]);
    }
}

/// <summary>Classes of tests that share the feed, and so take turns.</summary>
[CollectionDefinition(Name)]
public sealed class PackageTestsCollection : ICollectionFixture<PackedFeed>
{
    public const string Name = "packages";
}
