using System.Buffers.Binary;
using System.Reflection.Metadata;
using System.Reflection.PortableExecutable;
using System.Text;
using Ashlar.TestKit;
using Xunit.Abstractions;

namespace Ashlar.Architecture.Tests;

/// <summary>
/// The packages are complete, and enough: a user's project needs them and .NET, and no other feed but Microsoft's, where it has a host.
/// </summary>
[Collection(PackageTestsCollection.Name)]
public sealed class PackageTests(PackedFeed feed, ITestOutputHelper output)
{
    // Sources in the symbols (the format of portable symbols calls it so).
    static readonly Guid EmbeddedSource = new("0E8A571B-6926-466E-B4AD-8AB04611F5FE");

    const string OfHosts =
        "Microsoft.Extensions.Configuration.Binder Microsoft.Extensions.Diagnostics.HealthChecks "
            + "Microsoft.Extensions.Hosting.Abstractions Microsoft.Extensions.Logging.Abstractions "
            + "Microsoft.Extensions.Options.ConfigurationExtensions";

    [Theory]
    [InlineData("Ashlar.Storage", "", "Ashlar.Storage")]
    [InlineData("Ashlar.KeyValue", "", "Ashlar.KeyValue", "Ashlar.Storage")]
    [InlineData("Ashlar.KeyValue.Sharding", "Ashlar.KeyValue", "Ashlar.KeyValue.Sharding")]
    [InlineData("Ashlar.KeyValue.Extensions", $"Ashlar.KeyValue {OfHosts}", "Ashlar.KeyValue.Extensions")]
    [InlineData(
        "Ashlar.KeyValue.Caching", $"Ashlar.KeyValue Ashlar.KeyValue.Extensions Microsoft.Extensions.Caching.Abstractions {OfHosts}",
        "Ashlar.KeyValue.Caching")]
    [InlineData("Ashlar.Blocks", "Ashlar.Storage System.IO.Hashing", "Ashlar.Blocks")]
    [InlineData("Ashlar.Planning", "", "Ashlar.Planning")]
    public void A_package_has_its_assemblies_with_docs_symbols_and_sources_and_says_what_it_is(
        string package, string dependencies, params string[] assemblies)
    {
        var content = feed.Open(package);
        Assert.Equal(
            assemblies.SelectMany(name => (string[])[$"lib/net10.0/{name}.dll", $"lib/net10.0/{name}.xml"]),
            content.Keys.Where(name => name.StartsWith("lib/", StringComparison.Ordinal)));
        var about = Encoding.UTF8.GetString(content[$"{package}.nuspec"]);
        Assert.Contains("Apache-2.0", about, StringComparison.Ordinal);
        Assert.Contains("<readme>README.md</readme>", about, StringComparison.Ordinal);
        Assert.Contains("<icon>icon.png</icon>", about, StringComparison.Ordinal);
        Assert.Equal(
            dependencies.Split(' ', StringSplitOptions.RemoveEmptyEntries),
            about.Split("<dependency id=\"")[1..].Select(one => one[..one.IndexOf('"', StringComparison.Ordinal)])
                .Order(StringComparer.Ordinal));
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
        var snippets = Snippets.Of(PackedFeed.Shown);
        Assert.True(snippets.Count >= 15, $"only {snippets.Count} were found");
        var project = feed.NewProject("Shown", PackedFeed.Shown, await ProgramAsync(snippets));
        RequireRun(snippets, await feed.Dotnet(project, "run", "--", feed["shown"]));
    }

    [Fact]
    public async Task The_sample_of_the_engine_writes_and_reads()
    {
        if (!TestTier.IsDeep) return; // It is typed as the documents show it.
        Assert.Equal(
            """
            Paris: 2.1 million
            city/oslo: 0.7 million
            city/paris: 2.1 million
            city/rome: 2.8 million

            """,
            await feed.RunSample("KeyValue"));
    }

    /// <remarks>Whatever would need reflection or code made at run time is a warning, and those are errors here.</remarks>
    [NativeFact]
    public async Task What_documents_show_and_a_program_with_a_host_run_compiled_ahead_of_time_and_trimmed()
    {
        var snippets = Snippets.Of(PackedFeed.Shown);
        var files = await ProgramAsync(snippets);
        files["Program.cs"] += "await HostedProgram.Run($\"{args[0]}/hosted\");\n";
        files["HostedProgram.cs"] = HostedProgram.Source;
        var project = feed.NewProject("Native", PackedFeed.Packages, files, HostedProgram.Packages);
        foreach (var (kind, property) in ((string, string)[])[("native", "PublishAot"), ("trimmed", "PublishTrimmed")])
        {
            await feed.Dotnet(
                project, "publish", "-c", "Release", "-r", "linux-x64", $"-p:{property}=true", "-p:TrimmerSingleWarn=false",
                "-p:ILLinkTreatWarningsAsErrors=true", "-p:IlcTreatWarningsAsErrors=true", "-p:InvariantGlobalization=true",
                $"-p:CppCompilerAndLinker={NativeLinker.Program}", "-o", $"{project}/{kind}");
            var text = await Command.Run($"{project}/{kind}/Native", project, null, $"{project}/{kind}-stores");
            RequireRun(snippets, text);
            Assert.EndsWith(HostedProgram.Output, text, StringComparison.Ordinal);
            output.WriteLine($"{kind}: {new FileInfo($"{project}/{kind}/Native").Length:n0} bytes");
        }
    }

    // The hash of blocks, hosts, and the compiler ahead of time are packages of Microsoft.
    static async Task<Dictionary<string, string>> ProgramAsync(IReadOnlyList<Snippet> snippets) => new(Snippets.ToProgram(snippets))
    {
        ["nuget.config"] = await File.ReadAllTextAsync($"{Repository.Root}/samples/WebCache/nuget.config"),
    };

    static void RequireRun(IReadOnlyList<Snippet> snippets, string output) => Assert.Equal(
        snippets.Select(snippet => $"ran {snippet.Place}"),
        output.Split('\n').Where(line => line.StartsWith("ran ", StringComparison.Ordinal)));

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
