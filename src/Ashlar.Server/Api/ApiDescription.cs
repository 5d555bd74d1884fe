using System.Net.Mime;
using Ashlar.Api;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.OpenApi;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Net.Http.Headers;
using Microsoft.OpenApi;

namespace Ashlar.Server;

/// <summary>The API as an OpenAPI 3.1 document, made from the routes that there are.</summary>
static class ApiDescription
{
    /// <summary>Where it is.</summary>
    public const string Path = "/v1/openapi.json";

    const string ProblemResponse = "Problem";

    public static void AddDescription(this IServiceCollection services) => services.AddOpenApi(options =>
    {
        options.OpenApiVersion = OpenApiSpecVersion.OpenApi3_1;
        options.AddSchemaTransformer((schema, _, _) =>
        {
            // A converter of our own writes them, so nothing knows what it writes.
            if (schema.Format == "date-time") schema.Type = JsonSchemaType.String;
            return Task.CompletedTask;
        });
        options.AddOperationTransformer((operation, context, _) =>
        {
            var route = context.Description.ActionDescriptor.EndpointMetadata;
            operation.Tags = null; // All would have the name of the program.
            AddQuery(operation, route.OfType<QueryParameters>().SingleOrDefault()?.All ?? []);
            if (context.Description.HttpMethod is "PATCH" or "DELETE") AddCondition(operation);
            operation.Responses ??= [];
            operation.Responses["default"] = new OpenApiResponseReference(ProblemResponse, context.Document);
            return Task.CompletedTask;
        });
        options.AddDocumentTransformer(async (document, context, cancellationToken) =>
        {
            document.Info = new()
            {
                Title = "Ashlar",
                Version = "v1",
                Description = "Every GET is also a HEAD. Members may be added: ignore those that you do not know.",
                License = new() { Name = "Apache-2.0", Identifier = "Apache-2.0" },
            };
            foreach (var path in document.Paths.Values) path.Operations?.Remove(HttpMethod.Head); // Names of operations are unique.
            var problem = await context.GetOrCreateSchemaAsync(typeof(Problem), null, cancellationToken);
            document.AddComponent(nameof(Problem), problem);
            document.AddComponent(ProblemResponse, new OpenApiResponse
            {
                Description = "It failed (RFC 9457); decide by type, which is stable.",
                Content = new Dictionary<string, OpenApiMediaType>(StringComparer.Ordinal)
                {
                    [MediaTypeNames.Application.ProblemJson] = new() { Schema = new OpenApiSchemaReference(nameof(Problem), document) },
                },
            });
        });
    });

    public static void MapDescription(this IEndpointRouteBuilder routes) =>
        routes.MapOpenApi(Path).WithMetadata(new HttpMethodMetadata(StatusRoutes.ReadMethods)); // By itself it is no HEAD.

    /// <summary>Names a route and says what it does.</summary>
    /// <param name="route">The route.</param>
    /// <param name="name">What clients that are made from the document call it.</param>
    /// <param name="summary">As the table of docs/api.md says it.</param>
    public static RouteHandlerBuilder Describe(this RouteHandlerBuilder route, string name, string summary) =>
        route.WithName(name).WithSummary(summary);

    public static RouteHandlerBuilder ProducesText(this RouteHandlerBuilder route, int status) =>
        route.Produces<string>(status, MediaTypeNames.Text.Plain);

    // As text they are bound to handlers, or read by themselves.
    static void AddQuery(OpenApiOperation operation, IReadOnlyList<QueryParameter> query)
    {
        operation.Parameters = [.. (operation.Parameters ?? []).Where(known => known.In != ParameterLocation.Query)];
        foreach (var parameter in query)
        {
            operation.Parameters.Add(new OpenApiParameter
            {
                Name = parameter.Name,
                In = ParameterLocation.Query,
                Description = parameter.Summary,
                Schema = new OpenApiSchema { Type = parameter.Kind },
            });
        }
    }

    static void AddCondition(OpenApiOperation operation) => (operation.Parameters ??= []).Add(new OpenApiParameter
    {
        Name = HeaderNames.IfMatch,
        In = ParameterLocation.Header,
        Description = "Only if the settings are those of this entity tag",
        Schema = new OpenApiSchema { Type = JsonSchemaType.String },
    });
}
