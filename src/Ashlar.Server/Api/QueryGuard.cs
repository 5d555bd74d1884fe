using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;

namespace Ashlar.Server;

/// <summary>Names of the query parameters that a route takes.</summary>
sealed record QueryParameters(IReadOnlyList<string> Names);

/// <summary>Refuses query parameters that a route does not know, so that a typo never passes for a setting.</summary>
sealed class QueryGuard(RequestDelegate next)
{
    public Task InvokeAsync(HttpContext context)
    {
        // Without a route there is no such path, or it does not take the method, which is to be said then.
        if (context.GetEndpoint() is RouteEndpoint route)
            Check(context.Request, route.Metadata.GetMetadata<QueryParameters>()?.Names ?? []);
        return next(context);
    }

    static void Check(HttpRequest request, IReadOnlyList<string> known)
    {
        foreach (var (name, values) in request.Query)
        {
            if (!known.Contains(name, StringComparer.Ordinal))
            {
                var taken = known.Count == 0 ? "it takes none" : $"it takes {string.Join(" and ", known)}";
                throw new ApiException(ProblemKind.InvalidRequest, $"'{name}' is not a query parameter of {request.Path}: {taken}");
            }
            if (values.Count > 1) throw new ApiException(ProblemKind.InvalidRequest, $"'{name}' stands there twice");
        }
    }
}

/// <summary>Says which query parameters a route takes.</summary>
static class QueryParameterExtensions
{
    public static RouteHandlerBuilder WithQuery(this RouteHandlerBuilder route, params string[] names) =>
        route.WithMetadata(new QueryParameters(names));
}
