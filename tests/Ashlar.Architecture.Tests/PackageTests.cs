using System.Buffers.Binary;
using System.Reflection.Metadata;
using System.Reflection.PortableExecutable;
using System.Text;
using Ashlar.TestKit;
using Xunit.Abstractions;

namespace Ashlar.Architecture.Tests;

/// <summary>The packages are complete, and enough: a user's project needs them and .NET, no other feed.</summary>
public sealed class PackageTests(PackedFeed feed, ITestOutputHelper output) : IClassFixture<PackedFeed>
{
    // Sources in the symbols (the format of portable symbols calls it so).
    static readonly Guid EmbeddedSource = new("0E8A571B-6926-466E-B4AD-8AB04611F5FE");

    [Theory]
    [InlineData("Ashlar.Storage", "", "Ashlar.Storage")]
    [InlineData("Ashlar.KeyValue", "", "Ashlar.KeyValue", "Ashlar.Storage")]
    [InlineData("Ashlar.KeyValue.Sharding", "Ashlar.KeyValue", "Ashlar.KeyValue.Sharding")]
    [InlineData("Ashlar.Blocks", "Ashlar.Storage", "Ashlar.Blocks")]
    [InlineData("Ashlar.Planning", "", "Ashlar.Planning")]
    public void A_package_has_its_assemblies_with_docs_symbols_and_sources_and_says_what_it_is(
        string package, string dependency, params string[] assemblies)
    {
        var content = feed.Open(package);
        Assert.Equal(
            assemblies.SelectMany(name => (string[])[$"lib/net10.0/{name}.dll", $"lib/net10.0/{name}.xml"]),
            content.Keys.Where(name => name.StartsWith("lib/", StringComparison.Ordinal)));
        var about = Encoding.UTF8.GetString(content[$"{package}.nuspec"]);
        Assert.Contains("Apache-2.0", about, StringComparison.Ordinal);
        Assert.Contains("<readme>README.md</readme>", about, StringComparison.Ordinal);
        Assert.Contains("<icon>icon.png</icon>", about, StringComparison.Ordinal);
        Assert.Equal(dependency.Length > 0 ? 2 : 1, about.Split("<dependency ").Length);
        if (dependency.Length > 0) Assert.Contains($"<dependency id=\"{dependency}\"", about, StringComparison.Ordinal);
        Assert.NotEmpty(content["README.md"]);
        Assert.Equal(128, BinaryPrimitives.ReadInt32BigEndian(content["icon.png"].AsSpan(16))); // Width, and height.
        Assert.Equal(128, BinaryPrimitives.ReadInt32BigEndian(content["icon.png"].AsSpan(20)));
        foreach (var assembly in assemblies) RequireSymbolsAndMetadata(content[$"lib/net10.0/{assembly}.dll"]);
    }

    [Fact]
    public async Task The_sample_of_sharding_needs_its_package_and_that_of_the_engine() => Assert.Equal(
        """
        alice in shard 2 of 4: 3 orders
        backup 1 holds 4 shards

        """,
        await feed.RunSample("KeyValueSharding"));

    [Fact]
    public async Task The_sample_of_a_queue_hands_out_what_a_process_left_undone_when_it_ended()
    {
        if (!TestTier.IsDeep) return; // The snippets are built in the same way.
        Assert.Equal(
            """
            did job 1: resize cat.png
            left job 2: resize dog.png
            did job 2: resize dog.png
            did job 3: resize owl.png

            """,
            await feed.RunSample("KeyValueQueue"));
    }

    [Fact]
    public async Task What_documents_show_in_csharp_compiles_and_runs_with_the_packages_alone()
    {
        var snippets = Snippets.Of(PackedFeed.Packages);
        Assert.True(snippets.Count >= 15, $"only {snippets.Count} were found");
        var project = feed.NewProject("Shown", PackedFeed.Packages, Snippets.ToProgram(snippets));
        var text = await feed.Dotnet(project, "run", "--", $"{feed.DirectoryPath}/shown");
        Assert.Equal(
            snippets.Select(snippet => $"ran {snippet.Place}"),
            text.Split('\n').Where(line => line.StartsWith("ran ", StringComparison.Ordinal)));
    }

    /// <remarks>Whatever would need reflection or code made at run time is a warning, and those are errors here.</remarks>
    [Fact]
    public async Task The_sample_of_the_engine_runs_compiled_ahead_of_time_and_trimmed()
    {
        var expected =
            """
            Paris: 2.1 million
            city/oslo: 0.7 million
            city/paris: 2.1 million
            city/rome: 2.8 million

            """;
        if (!TestTier.IsDeep) return; // A minute of a processor.
        Assert.Equal(expected, await feed.RunSample("KeyValue"));
        var program = await File.ReadAllTextAsync($"{Repository.Root}/samples/KeyValue/Program.cs");
        var project = feed.NewProject("Native", ["Ashlar.KeyValue"], new Dictionary<string, string> { ["Program.cs"] = program });
        // The compiler is a package of .NET, so other feeds than ours are needed, and a linker.
        File.Delete($"{feed.DirectoryPath}/nuget.config");
        await File.WriteAllTextAsync(
            $"{project}/nuget.config",
            """
            <configuration><packageSources><add key="local" value="../packages" /></packageSources></configuration>
            """);
        foreach (var (kind, property) in ((string, string)[])[("native", "PublishAot"), ("trimmed", "PublishTrimmed")])
        {
            await feed.Dotnet(
                project, "publish", "-c", "Release", "-r", "linux-x64", $"-p:{property}=true", "-p:TreatWarningsAsErrors=true",
                "-p:CppCompilerAndLinker=gcc", "-o", $"{project}/{kind}");
            Assert.Equal(expected, await Command.Run($"{project}/{kind}/Native", project, null, $"{project}/{kind}-store"));
            var bytes = new FileInfo($"{project}/{kind}/Native").Length;
            output.WriteLine($"{kind}: {bytes:n0} bytes");
        }
    }

    static void RequireSymbolsAndMetadata(byte[] assembly)
    {
        using var image = new PEReader(new MemoryStream(assembly));
        var symbols = Assert.Single(image.ReadDebugDirectory(), entry => entry.Type == DebugDirectoryEntryType.EmbeddedPortablePdb);
        using var provider = image.ReadEmbeddedPortablePdbDebugDirectoryData(symbols);
        var reader = provider.GetMetadataReader();
        Assert.Contains(
            reader.CustomDebugInformation,
            handle => reader.GetGuid(reader.GetCustomDebugInformation(handle).Kind) == EmbeddedSource);
        Assert.All(
            reader.Documents.Select(handle => reader.GetString(reader.GetDocument(handle).Name)),
            path => Assert.StartsWith("/_/", path, StringComparison.Ordinal));
        var metadata = image.GetMetadataReader();
        var declared = metadata.GetAssemblyDefinition().GetCustomAttributes()
            .Select(handle => metadata.GetBlobReader(metadata.GetCustomAttribute(handle).Value))
            .Select(blob => Encoding.UTF8.GetString(blob.ReadBytes(blob.Length)));
        Assert.Contains(declared, text => text.Contains("IsTrimmable", StringComparison.Ordinal));
        Assert.Contains(declared, text => text.Contains("IsAotCompatible", StringComparison.Ordinal));
    }
}
