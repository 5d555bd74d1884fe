using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Text.RegularExpressions;
using Ashlar.Server.Tests.Api;
using Ashlar.TestKit;

namespace Ashlar.Server.Tests.Metrics;

public sealed partial class MetricsTests : ServedApi
{
    [Fact]
    public async Task Each_family_is_announced_once_and_its_samples_follow()
    {
        await Server.CallAsync("volume", "create", "vm1", "--size", "1MiB");
        await UseAsync("vm1");
        using var response = await Http.GetAsync("/metrics");
        Assert.Equal("text/plain; version=0.0.4; charset=utf-8", response.Content.Headers.ContentType!.ToString());
        var (family, families, samples) = ("", new HashSet<string>(), new HashSet<string>());
        foreach (var line in (await response.Content.ReadAsStringAsync()).Split('\n', StringSplitOptions.RemoveEmptyEntries))
        {
            if (line.StartsWith("# HELP ", StringComparison.Ordinal))
            {
                Assert.True(families.Add(family = line.Split(' ')[2]), line);
            }
            else if (line.StartsWith("# TYPE ", StringComparison.Ordinal))
            {
                Assert.Equal(family, line.Split(' ')[2]);
                Assert.Contains(line.Split(' ')[3], (string[])["counter", "gauge", "histogram"]);
            }
            else
            {
                var sample = Sample().Match(line);
                Assert.True(sample.Success, line);
                Assert.True(samples.Add(sample.Groups["series"].Value), line); // Once.
                Assert.Contains(sample.Groups["name"].Value, (string[])[family, $"{family}_bucket", $"{family}_sum", $"{family}_count"]);
            }
        }
        Assert.True(samples.Count > 100);
        var text = await File.ReadAllTextAsync(Path.Combine(Repository.Root, "docs/operating/logs-and-metrics.md"));
        Assert.Equal(families.Order(StringComparer.Ordinal), Documented().Matches(text).Select(name => name.Value.Trim('`')).Order(StringComparer.Ordinal));
    }

    [Fact]
    public async Task What_clients_have_done_stays_when_they_go()
    {
        await Server.CallAsync("volume", "create", "vm1", "--size", "1MiB");
        await Server.CallAsync("volume", "create", "vm2", "--size", "1MiB");
        const string labels = "{pool=\"main\",volume=\"vm1\",operation=\"read\"";
        await UseAsync("vm1");
        var first = await CollectAsync();
        Assert.Equal(4096, first[$"ashlar_volume_bytes_total{labels}}}"]);
        Assert.Equal(1, first[$"ashlar_volume_request_duration_seconds_count{labels}}}"]);
        Assert.Equal(1, first[$"ashlar_volume_request_duration_seconds_bucket{labels},le=\"+Inf\"}}"]);
        Assert.True(first[$"ashlar_volume_request_duration_seconds_sum{labels}}}"] > 0);
        Assert.Equal(1 << 20, first["ashlar_volume_size_bytes{pool=\"main\",volume=\"vm2\"}"]);
        Assert.DoesNotContain(first.Keys, key => key.Contains("_total{pool=\"main\",volume=\"vm2\"", StringComparison.Ordinal));

        await UseAsync("vm1");
        var second = await CollectAsync();
        Assert.Equal(8192, second[$"ashlar_volume_bytes_total{labels}}}"]);
        Assert.Equal(2, second["ashlar_pool_volumes{pool=\"main\"}"]);
        Assert.Equal(1, second["ashlar_pool_healthy{pool=\"main\"}"]);
    }

    [Fact]
    public async Task Buckets_of_a_histogram_hold_those_before_them()
    {
        await Server.CallAsync("volume", "create", "vm1", "--size", "1MiB");
        for (var i = 0; i < 5; i++) await UseAsync("vm1");
        double[] counts =
        [
            .. (await CollectAsync()).Where(sample => sample.Key.StartsWith(
                "ashlar_volume_request_duration_seconds_bucket{pool=\"main\",volume=\"vm1\",operation=\"read\"", StringComparison.Ordinal))
                .Select(sample => sample.Value),
        ];
        Assert.Equal(12, counts.Length);
        Assert.Equal(counts.Order(), counts);
        Assert.Equal(5, counts[^1]);
    }

    [Fact]
    public void Labels_may_hold_anything()
    {
        var text = new PrometheusText();
        text.Begin("x", "gauge", "X.");
        text.Add(0.5, ("a", "back\\slash \"quote\"\nline"));
        Assert.Equal("# HELP x X.\n# TYPE x gauge\nx{a=\"back\\\\slash \\\"quote\\\"\\nline\"} 0.5\n", text.ToString());
    }

    async Task<Dictionary<string, double>> CollectAsync()
    {
        var text = await Http.GetStringAsync("/metrics");
        return text.Split('\n').Select(line => Sample().Match(line)).Where(match => match.Success).ToDictionary(
            match => match.Groups["series"].Value,
            match => double.Parse(match.Groups["value"].Value, CultureInfo.InvariantCulture));
    }

    /// <summary>Attaches by NBD, reads 4 KiB, and leaves in order, so that the server has noticed.</summary>
    async Task UseAsync(string volume)
    {
        using var client = new TcpClient();
        var uri = new Uri(Server.Status.Endpoints.Nbd);
        await client.ConnectAsync(IPAddress.Parse(uri.Host), uri.Port);
        var stream = client.GetStream();
        await stream.ReadExactlyAsync(new byte[18]);
        byte[] attach = [0, 0, 0, 3, .. "IHAVEOPT"u8, 0, 0, 0, 1, 0, 0, 0, (byte)volume.Length, .. System.Text.Encoding.ASCII.GetBytes(volume)];
        await stream.WriteAsync(attach);
        await stream.ReadExactlyAsync(new byte[10]);
        byte[] read = [0x25, 0x60, 0x95, 0x13, 0, 0, 0, 0, .. new byte[16], 0, 0, 0x10, 0];
        await stream.WriteAsync(read);
        await stream.ReadExactlyAsync(new byte[16 + 4096]);
        byte[] disconnect = [0x25, 0x60, 0x95, 0x13, 0, 0, 0, 2, .. new byte[20]];
        await stream.WriteAsync(disconnect);
        Assert.Equal(0, await stream.ReadAsync(new byte[1]).AsTask().WaitAsync(TimeSpan.FromMinutes(1)));
    }

    [GeneratedRegex("`(ashlar|process)_[a-z_]+`", RegexOptions.ExplicitCapture, 10_000)]
    private static partial Regex Documented();

    [GeneratedRegex("""^(?<series>(?<name>[a-z_]+)(\{[a-z]+="[^"]*"(,[a-z]+="[^"]*")*\})?) (?<value>[-+0-9.eE]+|\+Inf)$""",
        RegexOptions.ExplicitCapture, 10_000)]
    private static partial Regex Sample();
}
