using System.Text.Json;
using System.Text.RegularExpressions;
using Ashlar.TestKit;

namespace Ashlar.Server.Tests.Api;

/// <summary>The OpenAPI document says what the server does, and the same as docs/api.md.</summary>
public sealed partial class OpenApiTests : ServedApi
{
    static readonly string[] Undescribed = ["GET /", "GET /v1/openapi.json"]; // The same as /v1, and the description itself.

    [Fact]
    public async Task It_has_the_routes_of_the_documentation()
    {
        var table = await File.ReadAllTextAsync(Path.Combine(Repository.Root, "docs", "api.md"));
        var documented = Route().Matches(table).Select(match => match.Groups["route"].Value).Distinct(StringComparer.Ordinal)
            .Except(Undescribed);
        var document = await DescriptionAsync();
        var described = Operations(document).Select(operation => $"{operation.Method.ToUpperInvariant()} {operation.Path}");
        Assert.Equal(documented.Order(StringComparer.Ordinal), described.Order(StringComparer.Ordinal));
    }

    [Fact]
    public async Task Every_operation_has_a_name_of_its_own_a_summary_and_an_answer_for_failures()
    {
        var document = await DescriptionAsync();
        var operations = Operations(document).ToList();
        var names = operations.Select(operation => operation.Description.GetProperty("operationId").GetString()).ToList();
        Assert.Equal(names.Count, names.Distinct(StringComparer.Ordinal).Count());
        Assert.All(operations, operation =>
        {
            Assert.NotEmpty(operation.Description.GetProperty("summary").GetString()!);
            Assert.True(operation.Description.GetProperty("responses").TryGetProperty("default", out _));
        });
    }

    [Fact]
    public async Task What_it_refers_to_is_there_and_every_part_of_an_object_has_a_type()
    {
        var document = await DescriptionAsync();
        foreach (Match reference in Reference().Matches(document.GetRawText())) At(document, reference.Groups["part"].Value.Split('/'));
        foreach (var schema in At(document, "components", "schemas").EnumerateObject())
        {
            Assert.All(schema.Value.GetProperty("properties").EnumerateObject(), property => Assert.True(
                property.Value.EnumerateObject().Any(part => part.Name is "type" or "$ref" or "oneOf"),
                $"{schema.Name}.{property.Name} has no type"));
        }
    }

    [Fact]
    public async Task Answers_are_what_it_says()
    {
        using var created = await Http.PostAsync(
            "/v1/pools/main/volumes",
            new StringContent("""{"name":"vm1","sizeBytes":1048576,"limits":{"iops":5}}""", null, "application/json"));
        using var other = await Http.PostAsync(
            "/v1/pools/main/volumes", new StringContent("""{"name":"vm0","sizeBytes":512}""", null, "application/json"));
        using var deleted = await Http.DeleteAsync("/v1/pools/main/volumes/vm0");
        var trashed = deleted.Headers.Location!.OriginalString.Split('/')[^1];
        using var taken = await Http.PostAsync(
            "/v1/pools/main/snapshots",
            new StringContent("{\"snapshots\":[{\"volume\":\"vm1\",\"name\":\"one\"}]}", null, "application/json"));
        Http.DefaultRequestHeaders.Authorization = new("Bearer", (await File.ReadAllTextAsync($"{Server.Data}/files/key")).Trim());
        using var directory = await Http.PostAsync(
            "/v1/customers/main/files/photos", new StringContent("""{"action":"createDirectory"}""", null, "application/json"));
        using var begun = await Http.PostAsync(
            "/v1/customers/main/uploads", new StringContent("""{"path":"/photos/cat"}""", null, "application/json"));
        var upload = begun.Headers.Location!.OriginalString.Split('/')[^1];
        var document = await DescriptionAsync();
        Check(document, SchemaOf(document, "/v1/customers/{customer}/files/{path}", "post", "201"), await ReadAsync(directory), "POST");
        Check(document, SchemaOf(document, "/v1/customers/{customer}/uploads", "post", "201"), await ReadAsync(begun), "POST");
        Check(document, SchemaOf(document, "/v1/pools/{pool}/snapshots", "post", "201"), await ReadAsync(taken), "POST");
        var problem = At(document, "components", "responses", "Problem", "content", "application/problem+json", "schema");
        Check(document, SchemaOf(document, "/v1/pools/{pool}/volumes", "post", "201"), await ReadAsync(created), "POST");
        Check(document, problem, await ReadAsync(await Http.GetAsync("/v1/pools/main/volumes/vm2")), "problem");
        using var exported = await Http.PostAsync(
            "/v1/exports", new StringContent("""{"name":"one","volume":"vm1"}""", null, "application/json"));
        Check(document, SchemaOf(document, "/v1/exports", "post", "201"), await ReadAsync(exported), "POST");
        using var task = await Http.PostAsync("/v1/pools/main/scrub", new StringContent("{}", null, "application/json"));
        Check(document, SchemaOf(document, "/v1/pools/{pool}/scrub", "post", "202"), await ReadAsync(task), "POST");
        foreach (var (path, method, _) in Operations(document))
        {
            if (method != "get" || !path.StartsWith("/v1", StringComparison.Ordinal)) continue;
            if (path.EndsWith("/stream", StringComparison.Ordinal)) continue;
            if (path is "/v1/file-catalogue" or "/v1/customers/{customer}/catalogue") continue; // SQL.
            var url = path
                .Replace("{pool}", "main")
                .Replace("{volume}", "vm1")
                .Replace("{id}", trashed)
                .Replace("{task}", "1")
                .Replace("{snapshot}", "one")
                .Replace("{customer}", "main")
                .Replace("{user}", "main")
                .Replace("{node}", "main")
                .Replace("{upload}", upload)
                .Replace("{export}", "one")
                .Replace("{portal}", "1")
                .Replace("{path}", "");
            if (path == "/v1/catalogue")
            {
                var line = At(
                    document, "paths", path, "get", "responses", "200", "content", "application/x-ndjson", "schema");
                foreach (var text in (await Http.GetStringAsync(url)).Split('\n', StringSplitOptions.RemoveEmptyEntries))
                    Check(document, line, JsonDocument.Parse(text).RootElement, path);
                continue;
            }
            Check(document, SchemaOf(document, path, "get", "200"), await ReadAsync(await Http.GetAsync(url)), path);
        }
    }

    [Fact]
    public async Task Requests_take_what_it_says_and_nothing_else()
    {
        var document = await DescriptionAsync();
        var parameters = At(document, "paths", "/v1/pools/{pool}/volumes", "get", "parameters").EnumerateArray();
        var query = parameters.Where(one => one.GetProperty("in").ValueEquals("query")).Select(one => one.GetProperty("name").GetString());
        Assert.Equal(["limit", "after", "label"], query);
        foreach (var request in (string[])["CreateVolume", "ChangeVolume", "ChangePool"])
        {
            Assert.False(At(document, "components", "schemas", request, "additionalProperties").GetBoolean());
        }
    }

    static JsonElement At(JsonElement part, params ReadOnlySpan<string> names)
    {
        foreach (var name in names) part = part.GetProperty(name);
        return part;
    }

    static JsonElement SchemaOf(JsonElement document, string path, string method, string status) =>
        At(document, "paths", path, method, "responses", status, "content", "application/json", "schema");

    /// <summary>Whether a value is one of a schema, as far as the document uses JSON Schema.</summary>
    static void Check(JsonElement document, JsonElement schema, JsonElement value, string where)
    {
        if (schema.TryGetProperty("oneOf", out var choices)) // An object that may be null; in answers it is absent instead.
            schema = choices.EnumerateArray().Single(choice => choice.TryGetProperty("$ref", out _));
        if (schema.TryGetProperty("$ref", out var reference)) schema = At(document, reference.GetString()![2..].Split('/'));
        var expected = schema.GetProperty("type");
        string?[] types = expected.ValueKind == JsonValueKind.Array
            ? [.. expected.EnumerateArray().Select(type => type.GetString())]
            : [expected.GetString()];
        var type = TypeOf(value);
        Assert.True(types.Contains(type) || (type == "integer" && types.Contains("number")), $"{where}: {value}, not {expected}");
        if (value.ValueKind == JsonValueKind.Array)
        {
            foreach (var item in value.EnumerateArray()) Check(document, schema.GetProperty("items"), item, $"{where}[]");
        }
        if (value.ValueKind != JsonValueKind.Object) return;
        if (schema.TryGetProperty("required", out var required))
        {
            foreach (var name in required.EnumerateArray().Select(name => name.GetString()!))
                Assert.True(value.TryGetProperty(name, out _), $"{where}: no {name}");
        }
        foreach (var property in value.EnumerateObject())
        {
            var name = $"{where}.{property.Name}";
            Assert.True(schema.GetProperty("properties").TryGetProperty(property.Name, out var described), $"{name} is not described");
            Check(document, described, property.Value, name);
        }
    }

    static string TypeOf(JsonElement value) => value.ValueKind switch
    {
        JsonValueKind.Object => "object",
        JsonValueKind.Array => "array",
        JsonValueKind.String => "string",
        JsonValueKind.Number => value.TryGetInt64(out _) ? "integer" : "number",
        JsonValueKind.True or JsonValueKind.False => "boolean",
        _ => "null",
    };

    static IEnumerable<(string Path, string Method, JsonElement Description)> Operations(JsonElement document) =>
        from path in document.GetProperty("paths").EnumerateObject()
        from operation in path.Value.EnumerateObject()
        select (path.Name, operation.Name, operation.Value);

    async Task<JsonElement> DescriptionAsync()
    {
        using var response = await Http.GetAsync("/v1/openapi.json");
        var document = await ReadAsync(response);
        Assert.StartsWith("3.1", document.GetProperty("openapi").GetString(), StringComparison.Ordinal);
        return document;
    }

    static async Task<JsonElement> ReadAsync(HttpResponseMessage response)
    {
        using var document = await JsonDocument.ParseAsync(await response.Content.ReadAsStreamAsync());
        return document.RootElement.Clone();
    }

    [GeneratedRegex(@"`(?<route>(GET|POST|PUT|PATCH|DELETE) /[^`?]*)`(?=[^|\n]*\|)", RegexOptions.ExplicitCapture, 10_000)]
    private static partial Regex Route();

    [GeneratedRegex("\"\\$ref\":\\s*\"#/(?<part>[^\"]+)\"", RegexOptions.ExplicitCapture, 10_000)]
    private static partial Regex Reference();
}
