using Ashlar.Api;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;

namespace Ashlar.Server;

/// <summary>/v1/catalogue.</summary>
static class CatalogueRoutes
{
    public static void MapCatalogue(this IEndpointRouteBuilder routes, ServedPools pools, TimeProvider time)
    {
        var answer = new CatalogueAnswer(pools, time);
        routes.MapMethods("/v1/catalogue", StatusRoutes.ReadMethods, CatalogueAnswer () => answer)
            .Describe("getCatalogue", "Volumes of all pools with the places of their blocks: a line of JSON each")
            .Produces<CatalogueEntry>(StatusCodes.Status200OK, CatalogueStream.ContentType);
    }
}
