namespace Ashlar.Architecture.Tests;

/// <summary>The packages are complete, and enough: a user's project needs them and .NET, no other feed.</summary>
public sealed class PackageTests(Packages packages) : IClassFixture<Packages>, IDisposable
{
    readonly string directory = Directory.CreateTempSubdirectory("ashlar-package-").FullName;

    public void Dispose() => Directory.Delete(directory, recursive: true);

    [Fact]
    public async Task The_sample_of_the_engine_is_restored_from_its_package_alone_and_runs()
    {
        var text = await packages.PackAsync("Ashlar.KeyValue", "Ashlar.KeyValue", "Ashlar.Storage");
        Assert.DoesNotContain("<dependency ", text, StringComparison.Ordinal);
        if (!TestTier.IsDeep) return; // The sample of sharding is restored from this package, too.
        Assert.Equal(
            """
            Paris: 2.1 million
            city/oslo: 0.7 million
            city/paris: 2.1 million
            city/rome: 2.8 million

            """,
            await Run("KeyValue"));
    }

    [Fact]
    public async Task The_sample_of_sharding_needs_its_package_and_that_of_the_engine()
    {
        var text = await packages.PackAsync("Ashlar.KeyValue.Sharding", "Ashlar.KeyValue.Sharding");
        Assert.Equal(2, text.Split("<dependency ").Length);
        Assert.Contains("<dependency id=\"Ashlar.KeyValue\"", text, StringComparison.Ordinal);
        await packages.PackAsync("Ashlar.KeyValue", "Ashlar.KeyValue", "Ashlar.Storage");
        Assert.Equal(
            """
            alice in shard 2 of 4: 3 orders
            backup 1 holds 4 shards

            """,
            await Run("KeyValueSharding"));
    }

    [Fact]
    public async Task A_project_of_its_own_uses_all_packages_together()
    {
        Assert.DoesNotContain("<dependency ", await packages.PackAsync("Ashlar.Storage", "Ashlar.Storage"), StringComparison.Ordinal);
        Assert.DoesNotContain("<dependency ", await packages.PackAsync("Ashlar.Planning", "Ashlar.Planning"), StringComparison.Ordinal);
        Assert.Contains(
            "<dependency id=\"Ashlar.Storage\"", await packages.PackAsync("Ashlar.Blocks", "Ashlar.Blocks"), StringComparison.Ordinal);
        // It carries Ashlar.Storage, which then comes twice.
        await packages.PackAsync("Ashlar.KeyValue", "Ashlar.KeyValue", "Ashlar.Storage");
        Directory.CreateDirectory($"{directory}/Fresh");
        Place("Fresh", "nuget.config");
        await File.WriteAllTextAsync(
            $"{directory}/Fresh/Fresh.csproj",
            """
            <Project Sdk="Microsoft.NET.Sdk">
              <PropertyGroup>
                <OutputType>Exe</OutputType>
                <TargetFramework>net10.0</TargetFramework>
                <ImplicitUsings>enable</ImplicitUsings>
              </PropertyGroup>
              <ItemGroup>
                <PackageReference Include="Ashlar.Blocks" Version="0.*" />
                <PackageReference Include="Ashlar.KeyValue" Version="0.*" />
                <PackageReference Include="Ashlar.Planning" Version="0.*" />
              </ItemGroup>
            </Project>
            """);
        await File.WriteAllTextAsync(
            $"{directory}/Fresh/Program.cs",
            """
            using Ashlar.Blocks;
            using Ashlar.KeyValue;
            using Ashlar.Planning;

            await using var disk = VirtualDevice.InMemory();
            await disk.WriteAsync(5000, "hello"u8.ToArray());
            await disk.FlushAsync();
            using var store = KeyValueStore.Open(args[0]);
            store.Put("city/paris"u8, "2.1 million"u8);
            var estimate = Estimator.Estimate(
                new() { RecordBytes = 250, Writes = Rate.Parse("200M/day"), Retention = Period.Parse("1825d") }, UnitSystem.Binary);
            Console.WriteLine($"{ByteAmount.Format(estimate.Rows[1].Bytes, UnitSystem.Binary)} {store.Get("city/paris"u8)!.Length}");
            """);
        // 250 bytes x 200,000,000 x 1825.
        Assert.Equal("82.99 TiB 11\n", await RunPlaced("Fresh"));
    }

    async Task<string> Run(string sample)
    {
        Place(
            sample, "nuget.config", "Directory.Build.props", "Directory.Packages.props", $"{sample}/{sample}.csproj",
            $"{sample}/Program.cs");
        return await RunPlaced(sample);
    }

    Task<string> RunPlaced(string project) =>
        Packages.DotnetAsync(directory, isUser: true, "run", "--project", project, "--", $"{directory}/store");

    // The feed of the samples is the folder "packages" beside them.
    void Place(string sample, params string[] names)
    {
        Directory.CreateDirectory($"{directory}/{sample}");
        if (!Directory.Exists($"{directory}/packages")) Directory.CreateSymbolicLink($"{directory}/packages", packages.Folder);
        foreach (var name in names) File.Copy($"{Repository.Root}/samples/{name}", $"{directory}/{name}");
    }
}
