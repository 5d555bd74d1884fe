using System.Net.Http.Json;
using Ashlar.Api;

namespace Ashlar.Server.Tests.CommandLine;

/// <summary><c>ashlar volume map</c>, and what it is drawn from.</summary>
public sealed class VolumeMapTests : IAsyncLifetime
{
    const int MiB = 1 << 20;

    RunningProgram server = null!;

    public async Task InitializeAsync()
    {
        server = await RunningProgram.StartAsync();
        await server.CallAsync("volume", "create", "vm1", "--size", "1GiB");
        await NbdWriter.WriteAsync(
            server, "vm1", (0, [.. Enumerable.Repeat((byte)1, MiB)]), (512L * MiB, [.. Enumerable.Repeat((byte)2, 4096)]));
    }

    public async Task DisposeAsync() => await server.DisposeAsync();

    [Fact]
    public async Task It_fits_the_terminal_and_needs_no_colour()
    {
        var drawn = await CalledProgram.RunAsync(new Surroundings { Width = 80 }, "volume", "map", "vm1", "--data", server.Data);
        var lines = drawn.Out.Split('\n');
        Assert.Equal("vm1: 1.00 GiB, 1.00 MiB of data, 60.00 KiB reserved; a character is 2.00 MiB", lines[0]);
        Assert.All(lines, line => Assert.InRange(line.Length, 0, 80));
        Assert.Contains($"       0 B  +{new string('.', 63)}", lines);
        Assert.Contains($"512.00 MiB  -{new string('.', 63)}", lines);
        Assert.Contains($"512.00 MiB  1{new string('.', 63)}", lines); // Written once, there.
        Assert.DoesNotContain('\e', drawn.Out);
    }

    [Fact]
    public async Task Regions_add_up_and_a_thick_volume_is_reserved()
    {
        await server.CallAsync("volume", "create", "thick", "--size", "2MiB", "--thick");
        using var http = new HttpClient { BaseAddress = new Uri(server.Status.Endpoints.Api) };
        var map = (await http.GetFromJsonAsync("/v1/pools/main/volumes/vm1/map?regions=3", ApiJson.Strict.VolumeMap))!;
        Assert.Equal([MiB, 4096, 0], map.ExclusiveBytes);
        Assert.Equal([0, 0, 0], map.SharedBytes);
        Assert.Equal([0, 61440, 0], map.ReservedBytes);
        Assert.Equal(1L << 30, map.SizeBytes);
        Assert.True(map.RegionBytes * 3 >= map.SizeBytes);
        Assert.Equal((MiB, 3600, 513), (map.Accesses.RegionBytes, map.Accesses.HalfLifeSeconds, map.Accesses.Writes.Count));
        Assert.Equal(2, map.Accesses.Writes.Sum());
        var thick = (await http.GetFromJsonAsync("/v1/pools/main/volumes/thick/map?regions=1", ApiJson.Strict.VolumeMap))!;
        Assert.Equal((0L, 2L * MiB), (thick.ExclusiveBytes.Sum(), thick.ReservedBytes.Sum()));
        Assert.Equal(400, (int)(await http.GetAsync("/v1/pools/main/volumes/vm1/map?regions=0")).StatusCode);
        Assert.Equal(404, (int)(await http.GetAsync("/v1/pools/main/volumes/vm2/map")).StatusCode);
        Assert.Equal(5, (await server.CallAsync("volume", "map", "vm2")).ExitCode);
    }

    [Fact]
    public async Task What_has_changed_since_a_snapshot_is_marked_apart()
    {
        Assert.Equal(0, (await server.CallAsync("snapshot", "create", "vm1@monday")).ExitCode);
        await NbdWriter.WriteAsync(
            server,
            "vm1",
            (0, [.. Enumerable.Repeat((byte)3, 8192)]),
            (256L * MiB, [.. Enumerable.Repeat((byte)4, 2 * MiB)]));
        using var http = new HttpClient { BaseAddress = new Uri(server.Status.Endpoints.Api) };
        var map = (await http.GetFromJsonAsync("/v1/pools/main/volumes/vm1/map?regions=4&since=monday", ApiJson.Strict.VolumeMap))!;
        Assert.Equal([8192, 2 * MiB, 0, 0], map.ChangedBytes!);
        Assert.Equal([8192, 2 * MiB, 0, 0], map.ExclusiveBytes);
        Assert.Equal([MiB - 8192, 0, 4096, 0], map.SharedBytes);
        var drawn = await CalledProgram.RunAsync(
            new Surroundings { Width = 80 }, "volume", "map", "vm1", "--since", "monday", "--data", server.Data);
        Assert.Contains("Changed since monday: 2.01 MiB", drawn.Out, StringComparison.Ordinal);
        var lines = drawn.Out.Split('\n');
        Assert.Contains($"       0 B  x{new string('.', 63)}", lines);
        Assert.Contains($"256.00 MiB  X{new string('.', 63)}", lines);
        Assert.Contains($"512.00 MiB  ={new string('.', 63)}", lines);
        Assert.NotEqual(0, (await server.CallAsync("volume", "map", "vm1", "--since", "tuesday")).ExitCode);
        Assert.DoesNotContain("Changed", (await server.CallAsync("volume", "map", "vm1")).Out, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("")]
    [InlineData("?limit=1")]
    [InlineData("?limit=2")]
    public async Task Extents_cover_the_volume_in_order_and_in_pages(string query)
    {
        using var http = new HttpClient { BaseAddress = new Uri(server.Status.Endpoints.Api) };
        var extents = new List<VolumeExtent>();
        for (var url = $"/v1/pools/main/volumes/vm1/extents{query}"; url is not null;)
        {
            var page = (await http.GetFromJsonAsync(url, ApiJson.Strict.ExtentList))!;
            extents.AddRange(page.Items);
            url = page.Next;
        }
        Assert.Equal(
            [
                new(0, MiB, "exclusive"),
                new(MiB, 511 * MiB, "unallocated"),
                new(512L * MiB, 4096, "exclusive"),
                new((512L * MiB) + 4096, 61440, "reserved"),
                new((512L * MiB) + 65536, (512L * MiB) - 65536, "unallocated"),
            ],
            extents);
    }
}
