using System.Globalization;
using System.Net;
using System.Text;
using System.Text.Json;
using Ashlar.Api;
using Xunit.Abstractions;

namespace Ashlar.Server.Tests.Api;

/// <summary>Huge and negative numbers in each number of each request, and bodies that are too long: a typed problem.</summary>
public sealed class HugeNumberTests(ITestOutputHelper output) : ServedApi
{
    const string Volumes = "/v1/pools/main/volumes";

    static readonly string[] Numbers =
    [
        "16777215", "33554432", "33554433", "2147483648", "4294967295", "9223372036854775807", "9223372036854775808",
        "18446744073709551615",
        "-1", "-2147483648", "-9223372036854775808", "1e308", "1e-300", $"1{new string('0', 5000)}",
    ];

    [Fact]
    public async Task Each_is_taken_or_refused_with_the_reason()
    {
        var (fields, cases, taken) = (0, 0, 0);
        foreach (var (type, field) in Requests.SelectMany(type => NumbersOf(type).Select(field => (type, field))))
        {
            fields++;
            foreach (var number in Numbers)
            {
                var name = $"v{cases++}";
                var creates = type == typeof(CreateVolume);
                if (!creates) Assert.Equal(HttpStatusCode.Created, (await SendAsync(HttpMethod.Post, Volumes, Body(name, ""))).Status);
                var body = creates
                    ? Body(name, field == "sizeBytes" ? "" : Nested(field, number), field == "sizeBytes" ? number : "1048576")
                    : $"{{{Nested(field, number)}}}";
                var (status, problem) = await SendAsync(
                    creates ? HttpMethod.Post : HttpMethod.Patch, creates ? Volumes : $"{Volumes}/{name}", body);
                var isTaken = status is HttpStatusCode.Created or HttpStatusCode.OK;
                Assert.True(isTaken || (int)status is >= 400 and < 500, $"{type.Name}.{field} = {number}: {(int)status}");
                if (!isTaken) Assert.NotEmpty(problem.RootElement.GetProperty("detail").GetString()!);
                if (isTaken) taken++;
                if (isTaken || !creates)
                    Assert.Equal(HttpStatusCode.NoContent, (await SendAsync(HttpMethod.Delete, $"{Volumes}/{name}")).Status);
                problem.Dispose();
            }
        }

        Assert.InRange(taken, fields, cases - (2 * fields)); // Some are good in each field, and some in none.
        output.WriteLine(JsonSerializer.Serialize(new { line = "huge lengths (api)", fields, cases, taken, failures = 0 }));
    }

    [Theory]
    [InlineData(4L << 20)]
    [InlineData(1L << 30)]
    public async Task A_body_that_is_or_claims_to_be_long_is_not_taken_into_memory(long claimed)
    {
        // Others in this process allocate as well: one of a few attempts shows what this alone takes.
        var least = long.MaxValue;
        for (var attempt = 0; attempt < 10 && least >= claimed; attempt++) least = Math.Min(least, await PostHeadAsync(claimed));
        Assert.InRange(least, 0, claimed - 1);
        Assert.Equal(HttpStatusCode.OK, (await SendAsync(HttpMethod.Get, Volumes)).Status);
    }

    async Task<long> PostHeadAsync(long claimed)
    {
        using var socket = new System.Net.Sockets.TcpClient();
        await socket.ConnectAsync(Http.BaseAddress!.Host, Http.BaseAddress.Port);
        var head = $"POST {Volumes} HTTP/1.1\r\nHost: {Http.BaseAddress.Authority}\r\nContent-Type: application/json\r\n"
            + string.Create(CultureInfo.InvariantCulture, $"Content-Length: {claimed}\r\n\r\n");
        var before = GC.GetTotalAllocatedBytes();
        await socket.GetStream().WriteAsync(Encoding.ASCII.GetBytes(head));
        using var reader = new StreamReader(socket.GetStream(), Encoding.ASCII);
        var line = await reader.ReadLineAsync().WaitAsync(TimeSpan.FromMinutes(1));
        Assert.StartsWith("HTTP/1.1 413 ", line, StringComparison.Ordinal);
        return GC.GetTotalAllocatedBytes() - before;
    }

    // What the API takes: what it knows and lets no unknown member into.
    static IEnumerable<Type> Requests => typeof(CreateVolume).Assembly.GetTypes()
        .Where(type => type == typeof(CreateVolume) || type == typeof(ChangeVolume));

    static IEnumerable<string> NumbersOf(Type type, string prefix = "")
    {
        foreach (var property in type.GetProperties())
        {
            var name = JsonNamingPolicy.CamelCase.ConvertName(property.Name);
            var plain = Nullable.GetUnderlyingType(property.PropertyType) ?? property.PropertyType;
            if (plain.IsPrimitive && plain != typeof(bool)) yield return prefix + name;
            else if (plain.Assembly == type.Assembly)
                foreach (var inner in NumbersOf(plain, $"{prefix}{name}.")) yield return inner;
        }
    }

    static string Nested(string field, string number) =>
        field.Split('.') is [var outer, var inner] ? $"\"{outer}\":{{\"{inner}\":{number}}}" : $"\"{field}\":{number}";

    static string Body(string name, string more, string size = "1048576") =>
        $"{{\"name\":\"{name}\",\"sizeBytes\":{size}{(more.Length > 0 ? $",{more}" : "")}}}";

    async Task<(HttpStatusCode Status, JsonDocument Body)> SendAsync(HttpMethod method, string url, string? body = null)
    {
        using var request = new HttpRequestMessage(method, url);
        if (body is not null) request.Content = new StringContent(body, Encoding.UTF8, "application/json");
        using var response = await Http.SendAsync(request);
        var text = await response.Content.ReadAsStringAsync();
        return (response.StatusCode, JsonDocument.Parse(text.Length > 0 ? text : "{}"));
    }
}
