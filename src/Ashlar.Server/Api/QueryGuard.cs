using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Microsoft.OpenApi;

namespace Ashlar.Server;

/// <summary>A query parameter of a route.</summary>
/// <param name="Name">Its name.</param>
/// <param name="Kind">What its value is, for the description of the API.</param>
/// <param name="Summary">What it means, for the same.</param>
sealed record QueryParameter(string Name, JsonSchemaType Kind, string Summary)
{
    /// <summary>Reads the value of a flag.</summary>
    /// <exception cref="ApiException">It is none.</exception>
    public bool ReadFlag(string text) => bool.TryParse(text, out var value)
        ? value
        : throw new ApiException(ProblemKind.InvalidRequest, $"'{text}' is not a value of '{Name}': true or false");
}

/// <summary>The query parameters that a route takes.</summary>
sealed record QueryParameters(IReadOnlyList<QueryParameter> All);

/// <summary>Refuses query parameters that a route does not know, so that a typo never passes for a setting.</summary>
sealed class QueryGuard(RequestDelegate next)
{
    public Task InvokeAsync(HttpContext context)
    {
        // Without a route there is no such path, or it does not take the method, which is to be said then.
        if (context.GetEndpoint() is RouteEndpoint route)
            Check(context.Request, route.Metadata.GetMetadata<QueryParameters>()?.All ?? []);
        return next(context);
    }

    static void Check(HttpRequest request, IReadOnlyList<QueryParameter> known)
    {
        foreach (var (name, values) in request.Query)
        {
            if (known.All(parameter => parameter.Name != name))
            {
                var taken = known.Count == 0 ? "it takes none" : $"it takes {string.Join(" and ", known.Select(one => one.Name))}";
                throw new ApiException(ProblemKind.InvalidRequest, $"'{name}' is not a query parameter of {request.Path}: {taken}");
            }
            if (values.Count > 1) throw new ApiException(ProblemKind.InvalidRequest, $"'{name}' is given twice");
        }
    }
}

/// <summary>Says which query parameters a route takes.</summary>
static class QueryParameterExtensions
{
    public static RouteHandlerBuilder WithQuery(this RouteHandlerBuilder route, params QueryParameter[] parameters) =>
        route.WithMetadata(new QueryParameters(parameters));
}
