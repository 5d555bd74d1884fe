using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using Ashlar.Interop.Tests.Clients;
using Ashlar.Interop.Tests.Server;
using Ashlar.TestKit;
using Xunit.Abstractions;

namespace Ashlar.Interop.Tests.Golden;

/// <summary>
/// Data directories that earlier versions wrote are served as they were written. The archives lie in the repository and never change; a
/// version that writes something else adds its own (docs/testing.md says how).
/// </summary>
public sealed class GoldenDataDirectoryTests(ITestOutputHelper output)
{
    static readonly string Golden = Path.Combine(AppContext.BaseDirectory, "Golden");

    [FactIfTool("libnbd.so.0", "tar")]
    public void Volumes_of_earlier_versions_hold_what_was_written_and_take_more()
    {
        var archives = Directory.EnumerateFiles(Golden, "*.tar.gz").Order(StringComparer.Ordinal).ToArray();
        Assert.True(archives.Length >= 2, "the archives are missing");
        foreach (var archive in archives)
        {
            output.WriteLine(archive);
            using var directory = TemporaryDirectory.OnDisk();
            ExternalTool.Run("tar", "--extract", "--gzip", "--file", archive, "--directory", directory.DirectoryPath).MustSucceed();
            var expected = archive[..^".tar.gz".Length] + ".json";
            Check(directory["data"], JsonSerializer.Deserialize<GoldenVolume[]>(File.ReadAllText(expected))!);
        }
    }

    // ASHLAR_WRITE_GOLDEN=DIRECTORY keeps it.
    [FactIfTool("libnbd.so.0", "tar")]
    public void What_this_version_writes_can_be_kept_as_golden()
    {
        using var directory = TemporaryDirectory.OnDisk();
        var volumes = Write(directory["data"]);
        if (Environment.GetEnvironmentVariable("ASHLAR_WRITE_GOLDEN") is { Length: > 0 } target)
        {
            Directory.CreateDirectory(target);
            string[] arguments =
            [
                "--create", "--sparse", "--gzip", "--sort=name", "--owner=0", "--group=0",
                "--file", Path.Combine(target, "data.tar.gz"), "--directory", directory.DirectoryPath, "data",
            ];
            ExternalTool.Run("tar", arguments).MustSucceed();
            File.WriteAllText(Path.Combine(target, "data.json"), JsonSerializer.Serialize(volumes));
        }

        Check(directory["data"], volumes);
    }

    static GoldenVolume[] Write(string dataDirectory)
    {
        using var server = new AshlarProcess(dataDirectory, "64MiB");
        server.Start();
        server.Command("volume", "create", "thin", "--size", "1GiB");
        server.Command("volume", "create", "thick", "--size", "2MiB", "--thick");
        server.Command("volume", "create", "sectors", "--size", "1MiB", "--block-size", "512");
        server.Command("volume", "create", "empty", "--size", "8TiB");
        // Written, overwritten before and after a flush, in halves of blocks, discarded and zeroed.
        foreach (var name in (string[])["thin", "thick", "sectors"])
        {
            using var client = server.ConnectNbd(name);
            client.Write(0, Text(name, 300_000), forceUnitAccess: false);
            client.Flush();
            client.Write(5_000, Text("overwritten", 10_000), forceUnitAccess: false);
            client.Write(100_001, Text("once more", 77), forceUnitAccess: true);
            client.Trim(131_072, 65_536);
            client.WriteZeroes(262_144, 8_192);
            client.Write(client.SizeBytes - 4_096, Text("last block", 4_096), forceUnitAccess: false);
            client.Flush();
        }

        server.Command("volume", "resize", "thin", "--size", "2GiB");
        server.Stop();
        server.Start();
        GoldenVolume[] volumes = [.. new[] { "thin", "thick", "sectors", "empty" }.Select(name => Look(server, name))];
        server.Stop();
        return volumes;
    }

    static void Check(string dataDirectory, IReadOnlyList<GoldenVolume> expected)
    {
        Assert.NotEmpty(expected);
        using var server = new AshlarProcess(dataDirectory, "64MiB");
        server.Start();
        foreach (var volume in expected) Assert.Equal(volume, Look(server, volume.Name));
        using (var client = server.ConnectNbd("thin"))
        {
            client.Write(1 << 20, Text("new", 4_096), forceUnitAccess: true);
            var read = new byte[4_096];
            client.Read(1 << 20, read);
            Assert.Equal(Text("new", 4_096), read);
        }

        server.Command("status", "--exit-code");
        server.Stop();
    }

    static GoldenVolume Look(AshlarProcess server, string name)
    {
        using var client = server.ConnectNbd(name);
        // Between them is nothing but a hole.
        var (start, end) = (new byte[Math.Min(client.SizeBytes, 1 << 20)], new byte[4_096]);
        client.Read(0, start);
        client.Read(client.SizeBytes - end.Length, end);
        using var described = JsonDocument.Parse(server.Command("volume", "show", name, "-o", "json"));
        return new(
            name,
            client.SizeBytes,
            described.RootElement.GetProperty("allocatedBytes").GetInt64(),
            described.RootElement.GetProperty("isThick").GetBoolean(),
            Convert.ToHexStringLower(SHA256.HashData([.. start, .. end])));
    }

    static byte[] Text(string what, int length)
    {
        var words = Enumerable.Range(0, (length / what.Length) + 1)
            .Select(number => string.Create(CultureInfo.InvariantCulture, $"{what} {number} "));
        var text = string.Concat(words);
        return Encoding.ASCII.GetBytes(text)[..length];
    }

    /// <summary>What is expected of a volume, and of its bytes.</summary>
    sealed record GoldenVolume(string Name, long SizeBytes, long AllocatedBytes, bool IsThick, string Sha256);
}
