using System.Globalization;
using System.Net;
using Ashlar.Server.Tests.Files;
using Ashlar.Simulation;
using Ashlar.TestKit;

namespace Ashlar.Server.Tests.Metrics;

/// <summary>What the figures of files say of what was done.</summary>
public sealed class FileMetricsTests : ServedFiles
{
    readonly byte[] content = new SeededRandom(3).Bytes(300_000);

    [Fact]
    public async Task Requests_bytes_and_hits_are_counted()
    {
        await PutAsync("/a", content);
        await PutAsync("/b", content);
        await PutAsync("/a", content); // There is one.
        for (var i = 0; i < 3; i++) Assert.Equal(content, (await SendAsync(HttpMethod.Get, $"{Files}/a")).Content);
        await SendAsync(HttpMethod.Get, $"{Files}/absent");
        await SendAsync(HttpMethod.Get, Files);
        await SendAsync(HttpMethod.Delete, $"{Files}/b");
        await SendAsync(null, HttpMethod.Get, $"{Files}/a");
        using (var http = new HttpClient())
            Assert.Equal(HttpStatusCode.Forbidden, (await http.GetAsync(Server.Status.Endpoints.S3)).StatusCode);

        // A request is counted when its answer has ended, which a client may see sooner.
        Dictionary<string, double> all = [];
        await Waiting.UntilAsync(
            async () => (all = await CollectAsync()).GetValueOrDefault(Count("delete")) == 1 && all.ContainsKey(Failed("list", "s3")),
            "they are counted");
        Assert.Equal((2, 3, 1), (all[Count("write")], all[Count("read")], all[Count("list")]));
        Assert.Equal((1, 2, 1), (all[Failed("write")], all[Failed("read")], all[Failed("list", "s3")]));
        const string everyRead = "ashlar_file_request_duration_seconds_bucket{protocol=\"api\",operation=\"read\",le=\"+Inf\"}";
        Assert.Equal(all[Count("read")], all[everyRead]);
        Assert.Equal(600_000, all["ashlar_file_bytes_total{operation=\"write\"}"]);
        Assert.Equal(900_000, all["ashlar_file_bytes_total{operation=\"read\"}"]);
        Assert.Equal(1, all["ashlar_file_uploaded_blocks_total{content=\"known\"}"]);
        Assert.Equal(1, all["ashlar_file_uploaded_blocks_total{content=\"new\"}"]);
        Assert.Equal(2, all["ashlar_file_cache_requests_total{cache=\"memory\",result=\"miss\"}"]);
        Assert.Equal(4, all["ashlar_file_cache_requests_total{cache=\"memory\",result=\"hit\"}"]);
        Assert.Equal((1, 0), (all["ashlar_file_nodes{state=\"up\"}"], all["ashlar_file_nodes{state=\"unavailable\"}"]));
        Assert.Equal((1, 0), (all["ashlar_files_available"], all["ashlar_file_unreadable_blocks"]));
        Assert.True(all["ashlar_file_node_free_bytes{node=\"main\"}"] > 0);
        Assert.DoesNotContain(all.Keys, key => key.Contains("disk", StringComparison.Ordinal));
    }

    [Fact]
    public void A_histogram_counts_what_took_no_longer_than_its_bounds()
    {
        var requests = new FileRequests();
        foreach (var microseconds in (double[])[1, 131, 132, 500, 525, 1_000_000, 200_000_000])
            requests.Add("api", "read", TimeSpan.FromMicroseconds(microseconds), hasFailed: false);
        requests.Add("api", "read", TimeSpan.FromSeconds(1), hasFailed: true);
        var (_, totals) = Assert.Single(requests.All);
        var faster = totals.Faster.ToArray();
        Assert.Equal((17, 37, 11), (faster[0].Exponent, faster[^1].Exponent, faster.Length));
        // 131.072 us, 524.288 us, ... 2.1 s, ... 137 s.
        Assert.Equal([2, 4, 5, 5, 5, 5, 5, 6, 6, 6, 6], faster.Select(bucket => bucket.Count));
        Assert.Equal((7, 1), (totals.Count, totals.Failed));
        Assert.Equal(201.001289, totals.Seconds, 5);
    }

    static string Count(string operation) => $"ashlar_file_request_duration_seconds_count{{protocol=\"api\",operation=\"{operation}\"}}";

    static string Failed(string operation, string protocol = "api") =>
        $"ashlar_file_failed_requests_total{{protocol=\"{protocol}\",operation=\"{operation}\"}}";

    async Task<Dictionary<string, double>> CollectAsync()
    {
        var text = await Http.GetStringAsync("/metrics");
        return text.Split('\n', StringSplitOptions.RemoveEmptyEntries)
            .Where(line => !line.StartsWith('#'))
            .Select(line => line.Split(' '))
            .ToDictionary(parts => parts[0], parts => double.Parse(parts[1], CultureInfo.InvariantCulture), StringComparer.Ordinal);
    }
}
