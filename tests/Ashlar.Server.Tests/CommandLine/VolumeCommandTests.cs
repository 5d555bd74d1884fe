using System.Net.Sockets;
using System.Text;

namespace Ashlar.Server.Tests.CommandLine;

public sealed class VolumeCommandTests
{
    [Fact]
    public async Task A_volume_is_renamed()
    {
        await using var server = await RunningProgram.StartAsync();
        await server.CallAsync("volume", "create", "vm1", "--size", "1GiB");
        var renamed = await server.CallAsync("volume", "rename", "vm1", "web1");
        Assert.Equal((0, "vm1 is web1 now\n", ""), (renamed.ExitCode, renamed.Out, renamed.Error));
        Assert.Equal("web1\n", (await server.CallAsync("volume", "list", "-o", "name")).Out);
        Assert.Equal(5, (await server.CallAsync("volume", "rename", "vm1", "web2")).ExitCode);
        Assert.Equal(2, (await server.CallAsync("volume", "rename", "web1", "Web 1")).ExitCode);
    }

    [Fact]
    public async Task A_volume_lives_from_create_to_delete()
    {
        await using var server = await RunningProgram.StartAsync();
        Assert.Equal(
            $"There are no volumes yet. Create one: ashlar volume create vm1 --size 10GiB --data {server.Data}\n",
            (await server.CallAsync("volume", "list")).Error);

        var created = await server.CallAsync("volume", "create", "vm1", "--size", "10GiB");
        Assert.Equal((0, ""), (created.ExitCode, created.Error));
        Assert.Equal("vm1 is created: 10.00 GiB, blocks of 512 bytes\n", created.Out);

        Assert.Matches(
            @"^NAME +SIZE +USED +USE% +TYPE +BLOCK +CLIENTS +CREATED\nvm1 +10\.00 GiB +\S+ \S+ +0\.0 % +thin +512 +- +20\S+Z\n$",
            (await server.CallAsync("volume", "list")).Out);
        Assert.Equal("vm1 has 20.00 GiB now\n", (await server.CallAsync("volume", "resize", "main/vm1", "--size", "20G")).Out);
        Assert.Equal(
            20L << 30, (await server.CallAsync("volume", "show", "vm1", "-o", "json")).OutJson.GetProperty("sizeBytes").GetInt64());
        Assert.Equal("vm1 is in the trash\n", (await server.CallAsync("volume", "delete", "vm1", "--yes")).Out);
        Assert.Equal("", (await server.CallAsync("volume", "list", "-o", "name")).Out);
    }

    [Fact]
    public async Task What_create_prints_can_be_pasted()
    {
        await using var server = await RunningProgram.StartAsync();
        var atTerminal = new Surroundings { Width = 200 };
        var text = (await CalledProgram.RunAsync(atTerminal, "volume", "create", "vm1", "--size", "1GiB", "--data", server.Data)).Out;
        var nbdPort = new Uri(server.Status.Endpoints.Nbd).Port;
        var portal = server.Status.Endpoints.Iscsi;
        Assert.Contains($"nbdinfo nbd://127.0.0.1:{nbdPort}/vm1\n", text, StringComparison.Ordinal);
        Assert.Contains($"nbd-client -N vm1 127.0.0.1 {nbdPort} /dev/nbd0\n", text, StringComparison.Ordinal);
        Assert.Contains($"iscsiadm -m discovery -t sendtargets -p {portal}\n", text, StringComparison.Ordinal);
        Assert.Contains($"iscsiadm -m node -T iqn.2026-11.io.ashlar:main.vm1 -p {portal} --login\n", text, StringComparison.Ordinal);
        Assert.Contains($"file=iscsi://{portal}/iqn.2026-11.io.ashlar:main.vm1/0,", text, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_taken_name_is_a_conflict_and_an_unknown_one_is_not_found()
    {
        await using var server = await RunningProgram.StartAsync();
        await server.CallAsync("volume", "create", "vm1", "--size", "1GiB");
        var taken = await server.CallAsync("volume", "create", "vm1", "--size", "1GiB", "-o", "json");
        Assert.Equal((6, ""), (taken.ExitCode, taken.Out));
        Assert.Equal("urn:ashlar:problem:exists", taken.ErrorJson.GetProperty("type").GetString());
        Assert.Equal(5, (await server.CallAsync("volume", "show", "vm2")).ExitCode);
        Assert.Equal(5, (await server.CallAsync("volume", "delete", "vm2", "--yes")).ExitCode);
        Assert.Equal(5, (await server.CallAsync("volume", "create", "other/vm1", "--size", "1GiB")).ExitCode);
    }

    [Theory]
    [InlineData("a b")]
    [InlineData("it's")]
    [InlineData("a\nb")]
    [InlineData("\U0001F9F1")]
    [InlineData("..")]
    [InlineData("VM1")]
    [InlineData("129")]
    public async Task A_bad_name_is_refused(string name)
    {
        await using var server = await RunningProgram.StartAsync();
        if (name == "129") name = new string('x', 129);
        var result = await server.CallAsync("volume", "create", name, "--size", "1GiB", "-o", "json");
        Assert.Equal(2, result.ExitCode);
        Assert.Equal("urn:ashlar:problem:invalid-name", result.ErrorJson.GetProperty("type").GetString());
        Assert.Equal("", (await server.CallAsync("volume", "list", "-o", "name")).Out);
    }

    [Fact]
    public async Task Shrinking_must_be_asked_for()
    {
        await using var server = await RunningProgram.StartAsync();
        await server.CallAsync("volume", "create", "vm1", "--size", "2GiB");
        var refused = await server.CallAsync("volume", "resize", "vm1", "--size", "1GiB");
        Assert.Equal(6, refused.ExitCode);
        Assert.Contains("--allow-shrink", refused.Error, StringComparison.Ordinal);
        Assert.Equal(0, (await server.CallAsync("volume", "resize", "vm1", "--size", "1GiB", "--allow-shrink")).ExitCode);
    }

    [Fact]
    public async Task Without_a_terminal_delete_needs_yes()
    {
        await using var server = await RunningProgram.StartAsync();
        await server.CallAsync("volume", "create", "vm1", "--size", "1GiB");
        var result = await server.CallAsync("volume", "delete", "vm1");
        Assert.Equal(2, result.ExitCode);
        Assert.EndsWith("hint: add --yes\n", result.Error, StringComparison.Ordinal);
        Assert.Equal("vm1\n", (await server.CallAsync("volume", "list", "-o", "name")).Out);
    }

    [Theory]
    [InlineData("n\n", 130, "vm1\n")]
    [InlineData("\n", 130, "vm1\n")]
    [InlineData("y\n", 0, "")]
    public async Task At_a_terminal_delete_asks(string typed, int exitCode, string left)
    {
        await using var server = await RunningProgram.StartAsync();
        await server.CallAsync("volume", "create", "vm1", "--size", "1GiB");
        var result = await CalledProgram.RunAsync(new Dictionary<string, string>(), typed, "volume", "rm", "vm1", "--data", server.Data);
        Assert.Equal(exitCode, result.ExitCode);
        Assert.StartsWith("Delete volume vm1 of 1.00 GiB and the ", result.Error, StringComparison.Ordinal);
        Assert.Equal(left, (await server.CallAsync("volume", "list", "-o", "name")).Out);
    }

    [Fact]
    public async Task A_volume_with_a_client_is_in_use_until_the_client_leaves()
    {
        await using var server = await RunningProgram.StartAsync();
        await server.CallAsync("volume", "create", "vm1", "--size", "1GiB");
        var nbd = new Uri(server.Status.Endpoints.Nbd);
        using (var client = new TcpClient())
        {
            await client.ConnectAsync(nbd.Host, nbd.Port);
            await AttachAsync(client.GetStream(), "vm1");

            Assert.Contains(" 1 NBD ", (await server.CallAsync("volume", "list")).Out, StringComparison.Ordinal);
            var refused = await server.CallAsync("volume", "delete", "vm1", "--yes");
            Assert.Equal(6, refused.ExitCode);
            Assert.StartsWith("error: volume vm1 is in use: 1 NBD\n", refused.Error, StringComparison.Ordinal);
        }
        // The server learns that the client left a moment after it did.
        while ((await server.CallAsync("volume", "show", "vm1", "-o", "json")).OutJson
            .GetProperty("clients").GetProperty("nbd").GetInt32() > 0)
        {
            await Task.Yield();
        }
        Assert.Equal(0, (await server.CallAsync("volume", "delete", "vm1", "--yes")).ExitCode);
    }

    /// <summary>Fixed newstyle negotiation with NBD_OPT_EXPORT_NAME, to the end of its reply.</summary>
    static async Task AttachAsync(NetworkStream stream, string export)
    {
        await stream.ReadExactlyAsync(new byte[18]);
        byte[] option = [0, 0, 0, 3, .. "IHAVEOPT"u8, 0, 0, 0, 1, 0, 0, 0, (byte)export.Length, .. Encoding.ASCII.GetBytes(export)];
        await stream.WriteAsync(option);
        await stream.ReadExactlyAsync(new byte[10]); // No zeroes follow: both sides said so.
    }

    [Fact]
    public async Task Lists_are_objects_with_a_version_for_programs()
    {
        await using var server = await RunningProgram.StartAsync();
        await server.CallAsync("volume", "create", "vm2", "--size", "1GiB");
        await server.CallAsync("volume", "create", "vm1", "--size", "1GiB", "--block-size", "4096");
        var list = (await server.CallAsync("vol", "ls", "-o", "json")).OutJson;
        Assert.Equal("ashlar/v1", list.GetProperty("apiVersion").GetString());
        Assert.Equal("VolumeList", list.GetProperty("kind").GetString());
        Assert.Equal(["vm1", "vm2"], list.GetProperty("items").EnumerateArray().Select(item => item.GetProperty("name").GetString()));
        Assert.Equal(4096, list.GetProperty("items")[0].GetProperty("blockSizeBytes").GetInt32());
    }

    [Fact]
    public async Task Pools_and_status_are_shown()
    {
        await using var server = await RunningProgram.StartAsync();
        await server.CallAsync("volume", "create", "vm1", "--size", "1GiB");
        Assert.Equal("main\n", (await server.CallAsync("pool", "list", "-o", "name")).Out);
        Assert.Equal(
            1L << 30, (await server.CallAsync("pool", "show", "main", "-o", "json")).OutJson.GetProperty("provisionedBytes").GetInt64());
        Assert.Equal(5, (await server.CallAsync("pool", "show", "tank")).ExitCode);
        var status = await server.CallAsync("status", "--exit-code");
        Assert.Equal(0, status.ExitCode);
        Assert.StartsWith("OK, up for ", status.Out, StringComparison.Ordinal);
        Assert.Contains($"Data       {server.Data}\n", status.Out, StringComparison.Ordinal);
    }
}
