/*
 * A Vulkan layer for drivers that have no hardware below them (RADV's null device): command buffers can be begun and
 * ended, nothing is recorded or submitted, and every wait is over at once. What compiles pipelines passes through.
 */
#include <string.h>
#include <vulkan/vk_layer.h>
#include <vulkan/vulkan.h>

static PFN_vkGetInstanceProcAddr next_instance;
static PFN_vkGetDeviceProcAddr next_device;

static VKAPI_ATTR VkResult VKAPI_CALL succeed(void) { return VK_SUCCESS; }
static VKAPI_ATTR void VKAPI_CALL ignore(void) {}

/* The link to the next layer or the driver, which is stepped over for those behind. */
static VkLayerInstanceLink *instance_link(const VkInstanceCreateInfo *info) {
  VkLayerInstanceCreateInfo *one = (VkLayerInstanceCreateInfo *)info->pNext;
  while (one->sType != VK_STRUCTURE_TYPE_LOADER_INSTANCE_CREATE_INFO || one->function != VK_LAYER_LINK_INFO)
    one = (VkLayerInstanceCreateInfo *)one->pNext;
  VkLayerInstanceLink *link = one->u.pLayerInfo;
  one->u.pLayerInfo = link->pNext;
  return link;
}

static VkLayerDeviceLink *device_link(const VkDeviceCreateInfo *info) {
  VkLayerDeviceCreateInfo *one = (VkLayerDeviceCreateInfo *)info->pNext;
  while (one->sType != VK_STRUCTURE_TYPE_LOADER_DEVICE_CREATE_INFO || one->function != VK_LAYER_LINK_INFO)
    one = (VkLayerDeviceCreateInfo *)one->pNext;
  VkLayerDeviceLink *link = one->u.pLayerInfo;
  one->u.pLayerInfo = link->pNext;
  return link;
}

static VKAPI_ATTR VkResult VKAPI_CALL create_instance(const VkInstanceCreateInfo *info,
                                                      const VkAllocationCallbacks *allocator, VkInstance *instance) {
  next_instance = instance_link(info)->pfnNextGetInstanceProcAddr;
  return ((PFN_vkCreateInstance)next_instance(NULL, "vkCreateInstance"))(info, allocator, instance);
}

static VKAPI_ATTR VkResult VKAPI_CALL create_device(VkPhysicalDevice physical, const VkDeviceCreateInfo *info,
                                                    const VkAllocationCallbacks *allocator, VkDevice *device) {
  VkLayerDeviceLink *link = device_link(info);
  next_device = link->pfnNextGetDeviceProcAddr;
  PFN_vkCreateDevice create = (PFN_vkCreateDevice)link->pfnNextGetInstanceProcAddr(NULL, "vkCreateDevice");
  return create(physical, info, allocator, device);
}

static PFN_vkVoidFunction own(const char *name) {
  static const char *const done[] = {"vkBeginCommandBuffer", "vkEndCommandBuffer", "vkResetCommandBuffer",
                                     "vkQueueSubmit",        "vkGetFenceStatus",   "vkWaitForFences",
                                     "vkQueueWaitIdle",      "vkDeviceWaitIdle"};
  for (size_t i = 0; i < sizeof done / sizeof *done; i++)
    if (strcmp(name, done[i]) == 0) return (PFN_vkVoidFunction)succeed;
  return strncmp(name, "vkCmd", 5) == 0 ? (PFN_vkVoidFunction)ignore : NULL;
}

VK_LAYER_EXPORT PFN_vkVoidFunction VKAPI_CALL vkGetDeviceProcAddr(VkDevice device, const char *name) {
  if (strcmp(name, "vkGetDeviceProcAddr") == 0) return (PFN_vkVoidFunction)vkGetDeviceProcAddr;
  PFN_vkVoidFunction found = own(name);
  return found ? found : next_device(device, name);
}

VK_LAYER_EXPORT PFN_vkVoidFunction VKAPI_CALL vkGetInstanceProcAddr(VkInstance instance, const char *name) {
  if (strcmp(name, "vkGetInstanceProcAddr") == 0) return (PFN_vkVoidFunction)vkGetInstanceProcAddr;
  if (strcmp(name, "vkGetDeviceProcAddr") == 0) return (PFN_vkVoidFunction)vkGetDeviceProcAddr;
  if (strcmp(name, "vkCreateInstance") == 0) return (PFN_vkVoidFunction)create_instance;
  if (strcmp(name, "vkCreateDevice") == 0) return (PFN_vkVoidFunction)create_device;
  PFN_vkVoidFunction found = own(name);
  if (found) return found;
  return instance ? next_instance(instance, name) : NULL;
}

VK_LAYER_EXPORT VkResult VKAPI_CALL vkNegotiateLoaderLayerInterfaceVersion(VkNegotiateLayerInterface *version) {
  version->pfnGetInstanceProcAddr = vkGetInstanceProcAddr;
  version->pfnGetDeviceProcAddr = vkGetDeviceProcAddr;
  version->pfnGetPhysicalDeviceProcAddr = NULL;
  return VK_SUCCESS;
}
