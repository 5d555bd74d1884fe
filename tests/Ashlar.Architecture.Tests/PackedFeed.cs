using System.IO.Compression;
using Ashlar.TestKit;

namespace Ashlar.Architecture.Tests;

/// <summary>All packages, packed once into a feed of their own, and what a user of them does by the command line.</summary>
public sealed class PackedFeed : IAsyncLifetime
{
    /// <summary>The packages, each behind those that it needs.</summary>
    public static readonly string[] Packages =
        ["Ashlar.Storage", "Ashlar.KeyValue", "Ashlar.KeyValue.Sharding", "Ashlar.Blocks", "Ashlar.Planning"];

    /// <summary>A directory of its own; the feed is <c>packages</c> in it.</summary>
    public string DirectoryPath { get; } = Directory.CreateTempSubdirectory("ashlar-package-").FullName;

    public async Task InitializeAsync()
    {
        foreach (var package in Packages) await Command.Pack(package, $"{DirectoryPath}/packages", $"{DirectoryPath}/artifacts");
    }

    public Task DisposeAsync()
    {
        Directory.Delete(DirectoryPath, recursive: true);
        return Task.CompletedTask;
    }

    /// <summary>What is in a package, by its path there.</summary>
    public SortedDictionary<string, byte[]> Open(string package)
    {
        using var zip = ZipFile.OpenRead(Assert.Single(Directory.GetFiles($"{DirectoryPath}/packages", $"{package}.0*")));
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

    /// <summary>A project outside of the repository, with nothing but this feed.</summary>
    /// <returns>Its directory.</returns>
    public string NewProject(string name, IReadOnlyList<string> packages, IReadOnlyDictionary<string, string> files)
    {
        var directory = Directory.CreateDirectory($"{DirectoryPath}/{name}").FullName;
        Take("nuget.config");
        File.WriteAllText($"{directory}/{name}.csproj", $"""
            <Project Sdk="Microsoft.NET.Sdk">
              <PropertyGroup>
                <OutputType>Exe</OutputType>
                <TargetFramework>net10.0</TargetFramework>
                <Nullable>enable</Nullable>
                <ImplicitUsings>enable</ImplicitUsings>
              </PropertyGroup>
              <ItemGroup>
                {string.Concat(packages.Select(package => $"<PackageReference Include=\"{package}\" Version=\"0.*\" />"))}
              </ItemGroup>
            </Project>
            """);
        foreach (var (path, text) in files) File.WriteAllText($"{directory}/{path}", text);
        return directory;
    }

    /// <summary>A sample, as it is in the repository.</summary>
    public async Task<string> RunSample(string sample)
    {
        foreach (var shared in (string[])["nuget.config", "Directory.Build.props", "Directory.Build.targets", "Directory.Packages.props"])
            Take(shared);
        Directory.CreateDirectory($"{DirectoryPath}/{sample}");
        Take($"{sample}/{sample}.csproj");
        Take($"{sample}/Program.cs");
        return await Dotnet(DirectoryPath, "run", "--project", sample, "--", $"{DirectoryPath}/stores/{sample}");
    }

    /// <summary>Runs a command of dotnet, and gives what it printed.</summary>
    public async Task<string> Dotnet(string workingDirectory, params string[] arguments) =>
        await Command.Run("dotnet", workingDirectory, workingDirectory == Repository.Root ? null : $"{DirectoryPath}/restored", arguments);

    void Take(string name)
    {
        if (!File.Exists($"{DirectoryPath}/{name}")) File.Copy($"{Repository.Root}/samples/{name}", $"{DirectoryPath}/{name}");
    }
}
