using System.Text.Json;
using Ashlar.Interop.Tests.Conformance;
using Ashlar.Interop.Tests.Server;
using Ashlar.TestKit;
using Xunit.Abstractions;

namespace Ashlar.Interop.Tests.Nbd;

/// <summary>Clients of NBD that others have written, each in what it can do; docs/conformance.md is the expectation.</summary>
public sealed class NbdConformanceTests(ITestOutputHelper output)
{
    const long SizeBytes = 64L << 20, ScratchBytes = 16L << 20;

    static readonly TimeSpan Deadline = TimeSpan.FromMinutes(2);

    [Fact]
    public void The_page_says_the_sums()
    {
        foreach (var heading in (string[])["NBD", "NVMe", "Linux"])
        {
            var rows = ClientCase.ReadPage(heading);
            Assert.Contains(
                $"{heading}: **{rows.Count(row => row.Outcome == "pass")} passed, {rows.Count(row => row.Outcome == "fail")} failed.**",
                ClientCase.ReadText(),
                StringComparison.Ordinal);
            Assert.All(rows, row => Assert.True(row.Outcome == "pass" || row.Remark.Length > 0, $"{row.Name}: no reason"));
        }
    }

    [FactIfTool("nbdinfo", "nbdcopy", "qemu-img", "qemu-io", "nbdkit", "fio", "python3-libnbd", "cmp")]
    public async Task Each_case_has_the_outcome_that_the_page_says()
    {
        using var directory = TemporaryDirectory.OnDisk();
        using var server = new AshlarProcess(directory["data"], "512MiB") { Options = ["--nbd-socket", directory["nbd"]] };
        server.Start();
        server.CreateVolume("disk", $"{SizeBytes}");
        server.CreateVolume("scratch", $"{ScratchBytes}");
        using var http = new HttpClient { BaseAddress = server.Api };
        await SnapshotAsync(http, "disk", "one");
        await SnapshotAsync(http, "scratch", "empty");
        using (var client = server.ConnectNbd("disk")) client.Write(0, new byte[4096], forceUnitAccess: false);
        await SnapshotAsync(http, "disk", "two");

        var found = Tools(server, directory).ToList();
        var cases = ExternalTool.Run(
            "/usr/bin/python3", $"{AppContext.BaseDirectory}Nbd/cases.py", $"{server.NbdEndPoint.Address}", $"{server.NbdEndPoint.Port}");
        found.AddRange(ClientCase.Read(cases.Output));
        foreach (var each in found) output.WriteLine(each.Row);
        Assert.True(cases.ExitCode is 0 or 1, cases.Errors);
        ClientCase.MustBeEqual(ClientCase.ReadPage("NBD"), found);
        Assert.True(server.IsRunning, server.Log);
        server.Stop();
        Assert.False(File.Exists(directory["nbd"]));
    }

    static async Task SnapshotAsync(HttpClient http, string volume, string name)
    {
        using var body = new StringContent($$"""{"snapshots":[{"volume":"{{volume}}","name":"{{name}}"}]}""");
        body.Headers.ContentType = new("application/json");
        (await http.PostAsync(new Uri("v1/pools/main/snapshots", UriKind.Relative), body)).EnsureSuccessStatusCode();
    }

    static IEnumerable<ClientCase> Tools(AshlarProcess server, TemporaryDirectory directory)
    {
        var (tcp, local) = (server.NbdUri("disk"), $"nbd+unix:///disk?socket={directory["nbd"]}");
        var localScratch = $"nbd+unix:///scratch?socket={directory["nbd"]}";
        var (scratch, image) = (server.NbdUri("scratch"), directory["image.raw"]);
        var content = new byte[ScratchBytes];
        for (var i = 0; i < 5 << 20; i++) content[i] = (byte)(i * 31 >> 3);
        File.WriteAllBytes(image, content);
        var compare = $"nbdcopy \"$uri\" - | cmp - '{image}'";
        return
        [
            ClientCase.Try("nbdinfo", "all of an export, as JSON", () =>
                Assert.Equal(SizeBytes, Json("nbdinfo", "--json", tcp).GetProperty("exports")[0].GetProperty("export-size").GetInt64())),
            ClientCase.Try("nbdinfo", "all of an export, in words", () => Says("contexts:", "nbdinfo", tcp)),
            ClientCase.Try("nbdinfo", "--size", () => Says($"{SizeBytes}", "nbdinfo", "--size", tcp)),
            ClientCase.Try("nbdinfo", "--list", () => Says("export=\"scratch\"", "nbdinfo", "--list", server.NbdUri(""))),
            ClientCase.Try("nbdinfo", "--map", () => Says("hole,zero", "nbdinfo", "--map", tcp)),
            ClientCase.Try("nbdinfo", "--map of what has changed since a snapshot", () =>
            {
                var map = Json("nbdinfo", "--json", "--map=ashlar:dirty-since:one", server.NbdUri("disk@two"));
                Assert.Equal([(4096L, 1L), (SizeBytes - 4096, 0L)], map.EnumerateArray().Select(static extent =>
                    (extent.GetProperty("length").GetInt64(), extent.GetProperty("type").GetInt64())));
            }),
            ClientCase.Try("nbdinfo", "--can flush, fua, trim, zero, fast-zero, cache, df, multi-conn, write", () =>
            {
                foreach (var ability in (string[])["flush", "fua", "trim", "zero", "fast-zero", "cache", "df", "multi-conn", "write"])
                    Run("nbdinfo", "--can", ability, tcp);
            }),
            ClientCase.Try("nbdinfo", "--is read-only, of a snapshot alone", () =>
            {
                Run("nbdinfo", "--is", "read-only", server.NbdUri("disk@one"));
                Assert.NotEqual(0, ExternalTool.Run(Deadline, "nbdinfo", "--is", "read-only", tcp).ExitCode);
            }),
            ClientCase.Try("nbdinfo", "over a Unix socket", () => Says($"{SizeBytes}", "nbdinfo", "--size", local)),
            ClientCase.Try("nbdcopy", "in and out, over four connections", () =>
                CopyBothWays(directory, image, scratch, "--connections=4")),
            ClientCase.Try("nbdcopy", "in and out, over a Unix socket", () =>
                CopyBothWays(directory, image, localScratch)),
            ClientCase.Try("nbdcopy", "from a snapshot to a volume", () =>
            {
                Run("nbdcopy", server.NbdUri("scratch@empty"), scratch);
                Run("qemu-img", "compare", "-f", "raw", "-F", "raw", server.NbdUri("scratch@empty"), scratch);
            }),
            ClientCase.Try("qemu-img", "info", () =>
                Assert.Equal(SizeBytes, Json("qemu-img", "info", "--output=json", tcp).GetProperty("virtual-size").GetInt64())),
            ClientCase.Try("qemu-img", "convert and compare", () =>
            {
                Run("qemu-img", "convert", "-n", "-f", "raw", "-O", "raw", image, scratch);
                Run("qemu-img", "compare", "-f", "raw", "-F", "raw", image, scratch);
            }),
            ClientCase.Try("qemu-img", "map", () =>
                Assert.True(Json("qemu-img", "map", "--output=json", "-f", "raw", scratch)[0].GetProperty("data").GetBoolean())),
            ClientCase.Try("qemu-img", "map of what has changed since a snapshot", () =>
            {
                // QEMU reads the first bit of any context as "no data".
                var address = $"driver=nbd,server.type=unix,server.path={directory["nbd"]},export=disk@two,"
                    + "x-dirty-bitmap=ashlar:dirty-since:one";
                var map = Json("qemu-img", "map", "--output=json", "--image-opts", address);
                Assert.Equal([(4096L, false), (SizeBytes - 4096, true)], map.EnumerateArray().Select(static extent =>
                    (extent.GetProperty("length").GetInt64(), extent.GetProperty("data").GetBoolean())));
            }),
            ClientCase.Try("qemu-img", "an image of its own format on a volume: create, check, convert", () =>
            {
                Run("qemu-img", "create", "-f", "qcow2", scratch, "8M");
                Run("qemu-img", "check", "-f", "qcow2", scratch);
                Run("qemu-img", "convert", "-f", "qcow2", "-O", "raw", scratch, directory["empty.raw"]);
            }),
            ClientCase.Try("qemu-img", "bench with flushes", () =>
                Run("qemu-img", "bench", "-f", "raw", "-w", "-c", "500", "-d", "16", "--flush-interval=50", scratch)),
            ClientCase.Try("qemu-io", "write, zero, discard, flush, read by pattern", () =>
                Run("qemu-io", "-f", "raw", "-c", "write -P 7 1M 1M", "-c", "write -z -u 1M 64k", "-c", "discard 1280k 64k", "-c", "flush",
                    "-c", "read -P 0 1M 64k", "-c", "read -P 7 1536k 512k", "-c", "aio_write -P 9 3M 64k", "-c", "aio_flush",
                    "-c", "read -P 9 3M 64k", scratch)),
            ClientCase.Try("qemu-io", "over a Unix socket", () =>
                Run("qemu-io", "-f", "raw", "-c", "write -P 5 0 64k", "-c", "read -P 5 0 64k", localScratch)),
            ClientCase.Try("nbdkit", "its plug-in nbd in front of a volume", () =>
                Run("nbdkit", "-U", "-", "nbd", $"uri={scratch}", "--run", $"nbdcopy '{image}' \"$uri\" && {compare}")),
            ClientCase.Try("nbdkit", "the same with a cache and retries between", () =>
                Run("nbdkit", "-U", "-", "--filter=cache", "--filter=retry", "nbd", $"uri={scratch}", "--run", compare)),
            ClientCase.Try("fio", "random writes that are verified", () => Run(
                "fio", "--name=job", "--ioengine=nbd", $"--uri={scratch}", "--rw=randwrite", "--bsrange=4k-128k", "--blockalign=4k",
                "--size=8m", "--iodepth=16", "--fsync=64", "--verify=crc32c", "--verify_fatal=1", "--do_verify=1", "--minimal")),
            ClientCase.Try("fio", "trims among writes", () => Run(
                "fio", "--name=job", "--ioengine=nbd", $"--uri={scratch}", "--rw=randtrimwrite", "--bs=64k", "--size=8m", "--minimal")),
        ];
    }

    static void CopyBothWays(TemporaryDirectory directory, string image, string uri, params string[] options)
    {
        Run("nbdcopy", [.. options, "--flush", image, uri]);
        Run("nbdcopy", [.. options, uri, directory["copy.raw"]]);
        Run("cmp", image, directory["copy.raw"]);
    }

    static string Run(string tool, params string[] arguments) => ExternalTool.Run(Deadline, tool, arguments).MustSucceed();

    static void Says(string expected, string tool, params string[] arguments) =>
        Assert.Contains(expected, Run(tool, arguments), StringComparison.Ordinal);

    static JsonElement Json(string tool, params string[] arguments)
    {
        using var json = JsonDocument.Parse(Run(tool, arguments));
        return json.RootElement.Clone();
    }
}
