using System.Net;
using System.Runtime.Versioning;
using System.Text.Json;
using System.Text.RegularExpressions;

namespace Ashlar.Server.Tests.Files;

/// <summary>Nobody is admitted to files without a key of their customer that allows what he does, by whatever route.</summary>
public sealed partial class FileKeyTests : ServedFiles
{
    [Fact]
    public async Task Every_route_of_files_is_closed_to_whoever_has_not_the_right_key()
    {
        await SendAsync(HttpMethod.Post, "/v1/customers", Json("""{"name":"acme"}"""));
        await SendAsync(HttpMethod.Post, "/v1/customers/acme/users", Json("""{"name":"all","rights":["read","write","administer"]}"""));
        await SendAsync(HttpMethod.Post, "/v1/customers/main/users", Json("""{"name":"nobody","rights":[]}"""));
        await SendAsync(HttpMethod.Post, "/v1/customers/main/users", Json("""{"name":"viewer","rights":["read"]}"""));
        var (foreign, without) = (await KeyAsync("acme", "all"), await KeyAsync("main", "nobody"));
        var viewer = await KeyAsync("main", "viewer");
        var soon = DateTimeOffset.UtcNow.AddSeconds(0.5).ToString("O");
        var expired = await KeyAsync("main", "main", $$"""{"expiresAt":"{{soon}}"}""");
        await MakeAsync("/kept");
        var place = (await SendAsync(HttpMethod.Post, "/v1/customers/main/uploads", Json("""{"path":"/kept/big"}"""))).Headers["Location"];
        await Task.Delay(TimeSpan.FromSeconds(0.6));

        var (id, secret) = (Key.Split(':')[0], Key.Split(':')[1]);
        (string? Key, HttpStatusCode Status)[] refused =
        [
            (null, HttpStatusCode.Unauthorized), ("", HttpStatusCode.Unauthorized), (id, HttpStatusCode.Unauthorized),
            ($"{id}:", HttpStatusCode.Unauthorized), ($"{id}:{secret}x", HttpStatusCode.Unauthorized),
            ($"{id}:{secret[..^1]}", HttpStatusCode.Unauthorized), ($"AAAAAAAAAAAAAAAAAAAA:{secret}", HttpStatusCode.Unauthorized),
            (expired, HttpStatusCode.Unauthorized), (foreign, HttpStatusCode.Forbidden), (without, HttpStatusCode.Forbidden),
        ];
        var routes = await RoutesAsync();
        Assert.True(routes.Length >= 13, $"only {routes.Length} routes were found");
        var answers = new HashSet<string>(StringComparer.Ordinal);
        foreach (var (method, path) in routes)
        {
            var url = Url(path, "main", place);
            foreach (var (key, status) in refused)
            {
                var answer = await SendAsync(key, method, url, BodyOf(method));
                Assert.True(status == answer.Status, $"{method} {url} with {key}: {answer.Status}");
                if (status == HttpStatusCode.Unauthorized)
                {
                    answers.Add(answer.Text);
                    Assert.StartsWith("Bearer", answer.Headers["WWW-Authenticate"], StringComparison.Ordinal);
                }
            }

            // Whether a customer is there is not told either.
            var (there, missing) = (await SendAsync(Key, method, Url(path, "acme", place), BodyOf(method)),
                await SendAsync(Key, method, Url(path, "ghost", place), BodyOf(method)));
            Assert.Equal((HttpStatusCode.Forbidden, there.Text.Replace("acme", "ghost")), (missing.Status, missing.Text));
            if (IsWrite(method, path))
                Assert.Equal(HttpStatusCode.Forbidden, (await SendAsync(viewer, method, url, BodyOf(method))).Status);
        }

        Assert.Single(answers);
        Assert.Equal(["/kept"], await TreeAsync());
        Assert.Equal(HttpStatusCode.OK, (await SendAsync(viewer, HttpMethod.Get, place)).Status);
    }

    [Fact]
    public async Task A_key_that_is_deleted_admits_nobody_and_no_secret_is_told_twice()
    {
        var key = await KeyAsync("main", "main");
        Assert.Equal(HttpStatusCode.OK, (await SendAsync(key, HttpMethod.Get, Files)).Status);
        var list = await SendAsync(null, HttpMethod.Get, "/v1/customers/main/users/main/keys");
        Assert.DoesNotContain(key.Split(':')[1], list.Text, StringComparison.Ordinal);
        Assert.Equal(
            HttpStatusCode.NoContent,
            (await SendAsync(null, HttpMethod.Delete, $"/v1/customers/main/users/main/keys/{key.Split(':')[0]}")).Status);
        Assert.Equal(HttpStatusCode.Unauthorized, (await SendAsync(key, HttpMethod.Get, Files)).Status);
        await Server.StopAsync();
        Assert.DoesNotContain(key.Split(':')[1], Server.Log, StringComparison.Ordinal);
        Assert.DoesNotContain(Key.Split(':')[1], Server.Log, StringComparison.Ordinal);
    }

    [Fact, SupportedOSPlatform("linux")]
    public void The_first_key_is_for_its_owner_alone() => Assert.Equal(
        UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode($"{Server.Data}/files/key"));

    static bool IsWrite(HttpMethod method, string path) =>
        method != HttpMethod.Get
        && !path.EndsWith("/verify", StringComparison.Ordinal)
        && !path.EndsWith("/prewarm", StringComparison.Ordinal);

    static StringContent? BodyOf(HttpMethod method) => method == HttpMethod.Post || method == HttpMethod.Put ? Json("{}") : null;

    static string Url(string path, string customer, string upload) => path
        .Replace("{customer}", customer)
        .Replace("{path}", "kept/new")
        .Replace("{upload}", upload.Split('/')[^1])
        .Replace("{part}", "1");

    async Task<string> KeyAsync(string customer, string user, string body = "{}")
    {
        var made = await SendAsync(null, HttpMethod.Post, $"/v1/customers/{customer}/users/{user}/keys", Json(body));
        Assert.Equal(HttpStatusCode.Created, made.Status);
        return $"{made.Body.GetProperty("id").GetString()}:{made.Body.GetProperty("secret").GetString()}";
    }

    // Of the route table, as the description of the API gives it: a route that is added is tried.
    async Task<(HttpMethod Method, string Path)[]> RoutesAsync()
    {
        using var document = JsonDocument.Parse(await Http.GetStringAsync("/v1/openapi.json"));
        return
        [
            .. from path in document.RootElement.GetProperty("paths").EnumerateObject()
               where Guarded().IsMatch(path.Name)
               from operation in path.Value.EnumerateObject()
               select (new HttpMethod(operation.Name.ToUpperInvariant()), path.Name),
        ];
    }

    [GeneratedRegex(@"^/v1/customers/\{customer\}/(files|uploads|verify|prewarm|catalogue)", RegexOptions.ExplicitCapture, 10_000)]
    private static partial Regex Guarded();
}
