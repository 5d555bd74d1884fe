using System.Text.Json;
using Ashlar.Interop.Tests.Server;
using Ashlar.Simulation;
using Ashlar.TestKit;

namespace Ashlar.Interop.Tests.Conformance;

/// <summary>The clients' own tools get along with the server: one for all of them, with a volume for each test.</summary>
public sealed class ClientToolTests(ClientToolTests.SharedServer shared) : IClassFixture<ClientToolTests.SharedServer>
{
    const long VolumeSizeBytes = 64L << 20;

    static int volumes;

    readonly AshlarProcess server = shared.Process;
    readonly TemporaryDirectory directory = shared.Directory;

    [FactIfTool("nbdinfo")]
    public void Nbdinfo_reads_what_the_server_can_do()
    {
        var volume = NewVolume();
        using var json = JsonDocument.Parse(ExternalTool.Run("nbdinfo", "--json", server.NbdUri(volume)).MustSucceed());
        Assert.Equal("newstyle-fixed", json.RootElement.GetProperty("protocol").GetString());
        Assert.True(json.RootElement.GetProperty("structured").GetBoolean());
        var export = json.RootElement.GetProperty("exports")[0];
        Assert.Equal(VolumeSizeBytes, export.GetProperty("export-size").GetInt64());
        foreach (var ability in new[] { "can_flush", "can_fua", "can_trim", "can_zero", "can_multi_conn", "can_df" })
            Assert.True(export.GetProperty(ability).GetBoolean(), ability);
        Assert.False(export.GetProperty("is_read_only").GetBoolean());
        Assert.Contains(
            "base:allocation",
            export.GetProperty("contexts").EnumerateArray().Select(context => context.GetString()),
            StringComparer.Ordinal);
    }

    [FactIfTool("nbdinfo")]
    public void Nbdinfo_lists_every_volume()
    {
        var (first, second) = (NewVolume(), NewVolume());
        using var json = JsonDocument.Parse(ExternalTool.Run("nbdinfo", "--list", "--json", server.NbdUri("")).MustSucceed());
        var names = json.RootElement.GetProperty("exports").EnumerateArray()
            .Select(export => export.GetProperty("export-name").GetString()).ToArray();
        Assert.Contains(first, names, StringComparer.Ordinal);
        Assert.Contains(second, names, StringComparer.Ordinal);
    }

    [FactIfTool("nbdinfo")]
    public void Nbdinfo_maps_data_and_holes()
    {
        var volume = NewVolume();
        Assert.Equal([(0L, VolumeSizeBytes, "hole,zero")], Map(volume));
        const long offset = 16L << 20, length = 1L << 20;
        using (var client = server.ConnectNbd(volume))
        {
            var data = new byte[length];
            new SeededRandom(5).Fill(data);
            client.Write(offset, data, forceUnitAccess: false);
            Assert.Equal(
                [(0, offset, "hole,zero"), (offset, length, "data"), (offset + length, VolumeSizeBytes - offset - length, "hole,zero")],
                Map(volume));
            client.Trim(offset, length);
        }
        Assert.Equal([(0L, VolumeSizeBytes, "hole,zero")], Map(volume));
    }

    [FactIfTool("nbdcopy", "cmp")]
    public void Nbdcopy_copies_in_and_out_over_several_connections()
    {
        var volume = NewVolume();
        var source = directory["source.raw"];
        var data = new byte[VolumeSizeBytes];
        new SeededRandom(6).Fill(data.AsSpan(0, data.Length / 2));
        File.WriteAllBytes(source, data);
        ExternalTool.Run("nbdcopy", "--flush", "--connections=4", source, server.NbdUri(volume)).MustSucceed();
        var copy = directory["copy.raw"];
        ExternalTool.Run("nbdcopy", "--connections=4", server.NbdUri(volume), copy).MustSucceed();
        ExternalTool.Run("cmp", source, copy).MustSucceed();
        var whole = directory["whole.raw"];
        ExternalTool.Run("nbdcopy", "--no-extents", "--connections=1", server.NbdUri(volume), whole).MustSucceed();
        ExternalTool.Run("cmp", source, whole).MustSucceed();
    }

    [FactIfTool("iscsi-ls")]
    public void Iscsi_ls_finds_the_target_and_its_logical_unit()
    {
        var volume = NewVolume();
        var listing = ExternalTool.Run("iscsi-ls", "-s", $"iscsi://{server.IscsiPortal}").MustSucceed();
        Assert.Contains($"Target:{AshlarProcess.TargetName(volume)}", listing, StringComparison.Ordinal);
        Assert.Contains(server.IscsiPortal, listing, StringComparison.Ordinal);
        Assert.Contains("Lun:0", listing, StringComparison.Ordinal);
        Assert.Contains("DIRECT_ACCESS", listing, StringComparison.Ordinal);
    }

    [FactIfTool("qemu-img", "qemu-block-iscsi")]
    public void Qemu_sees_the_size_over_both_protocols()
    {
        var volume = NewVolume();
        foreach (var address in new[] { server.NbdUri(volume), server.IscsiUrl(volume) })
        {
            using var json = JsonDocument.Parse(ExternalTool.Run("qemu-img", "info", "--output=json", address).MustSucceed());
            Assert.Equal(VolumeSizeBytes, json.RootElement.GetProperty("virtual-size").GetInt64());
        }
    }

    string NewVolume()
    {
        var name = $"vm{++volumes}";
        server.CreateVolume(name, $"{VolumeSizeBytes}");
        return name;
    }

    (long Offset, long Length, string Description)[] Map(string volume)
    {
        using var json = JsonDocument.Parse(ExternalTool.Run("nbdinfo", "--map", "--json", server.NbdUri(volume)).MustSucceed());
        return [.. json.RootElement.EnumerateArray().Select(extent => (
            extent.GetProperty("offset").GetInt64(),
            extent.GetProperty("length").GetInt64(),
            extent.GetProperty("description").GetString()!))];
    }

    /// <summary>Started for the first of the tests.</summary>
    public sealed class SharedServer : IDisposable
    {
        public SharedServer()
        {
            Process = new(Directory["data"], "1GiB");
            Process.Start();
        }

        internal TemporaryDirectory Directory { get; } = TemporaryDirectory.OnDisk();

        internal AshlarProcess Process { get; }

        public void Dispose()
        {
            Process.Dispose();
            Directory.Dispose();
        }
    }
}
