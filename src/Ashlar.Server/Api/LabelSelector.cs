using Microsoft.AspNetCore.Http;
using Microsoft.OpenApi;

namespace Ashlar.Server;

/// <summary>
/// Which volumes of a list are asked for by their labels: <c>env=prod,tier</c> are those that have both, <c>env</c> with this value and
/// <c>tier</c> with any. A comma within a value cannot be asked for.
/// </summary>
sealed class LabelSelector
{
    public static readonly QueryParameter Parameter =
        new("label", JsonSchemaType.String, "Only volumes with these labels: KEY=VALUE, or KEY for any value; several with commas between");

    readonly IReadOnlyList<(string Key, string? Value)> wanted;

    LabelSelector(IReadOnlyList<(string Key, string? Value)> wanted, string query)
    {
        this.wanted = wanted;
        Query = query;
    }

    /// <summary>The parameter as the next page has it.</summary>
    public string Query { get; }

    /// <summary>What a request asks for.</summary>
    /// <exception cref="ApiException">A key is empty.</exception>
    public static LabelSelector Of(HttpRequest request)
    {
        if (!request.Query.TryGetValue(Parameter.Name, out var values)) return new([], "");
        var text = values.ToString();
        var wanted = text.Split(',').Select(each => each.Split('=', 2))
            .Select(pair => (pair[0], pair.Length == 2 ? pair[1] : null)).ToArray();
        if (Array.Exists(wanted, each => each.Item1.Length == 0))
            throw new ApiException(ProblemKind.InvalidRequest, $"'{text}' is not a value of '{Parameter.Name}': KEY=VALUE, or KEY");
        return new(wanted, $"&{Parameter.Name}={Uri.EscapeDataString(text)}");
    }

    public bool Holds(IReadOnlyDictionary<string, string> labels) =>
        wanted.All(each => labels.TryGetValue(each.Key, out var value) && (each.Value is null || each.Value == value));
}
