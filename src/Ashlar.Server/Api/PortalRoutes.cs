using Ashlar.Api;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.AspNetCore.Routing;

namespace Ashlar.Server;

/// <summary>/v1/portals: addresses that volumes are reached through.</summary>
static class PortalRoutes
{
    public static void MapPortals(this IEndpointRouteBuilder routes, ServedPortals portals)
    {
        routes.MapMethods("/v1/portals", StatusRoutes.ReadMethods, Ok<PortalList> () =>
            TypedResults.Ok(new PortalList { Items = portals.List() }))
            .Describe("listPortals", "Addresses that volumes are reached through, and how well");

        routes.MapMethods("/v1/portals/{portal}", StatusRoutes.ReadMethods, Ok<Portal> (string portal) =>
            TypedResults.Ok(portals.Get(portal))).Describe("getPortal", "One portal");

        routes.MapPatch("/v1/portals/{portal}", Ok<Portal> (string portal, ChangePortal request, HttpContext context) =>
            TypedResults.Ok(portals.Change(portal, request, Caller.Of(context))))
            .Describe("changePortal", "Says how volumes are reached through a portal, and tells clients; until the server ends");
    }
}
